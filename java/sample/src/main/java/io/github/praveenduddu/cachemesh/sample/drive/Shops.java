package io.github.praveenduddu.cachemesh.sample.drive;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Three instances of the shop on one database. */
public final class Shops implements AutoCloseable {

    /** How many. */
    public static final int MANY = 3;

    private final Database database;

    private final String[] arguments;

    private final Path jar;

    private final List<Shop> all = new ArrayList<>();

    /**
     * Starts them, and waits until all are in one mesh.
     *
     * @param jar the application
     * @param database what they all use; it is closed with them
     * @param more what each is told besides
     */
    public Shops(Path jar, Database database, String... more) {
        this.jar = jar;
        this.database = database;
        List<String> arguments = new ArrayList<>(database.arguments());
        arguments.add("--cachemesh.mesh=shops-" + ProcessHandle.current().pid());
        arguments.addAll(List.of(more));
        this.arguments = arguments.toArray(String[]::new);
        try {
            add().ready();
            for (int i = 1; i < MANY; i++) {
                add();
            }
            this.all.forEach(Shop::ready);
            awaitMembers(MANY);
        }
        catch (RuntimeException ex) {
            close();
            throw ex;
        }
    }

    /** Starts another; it is not waited for. */
    public Shop add() {
        Shop shop = Shop.start(this.jar, String.valueOf((char) ('A' + this.all.size())), this.arguments);
        this.all.add(shop);
        return shop;
    }

    /** Ends one's JVM as a crash would, and forgets it. */
    public void kill(Shop shop) {
        shop.jvm().destroyForcibly();
        this.all.remove(shop);
    }

    /** Waits until all agree on so many members. */
    public void awaitMembers(int many) {
        String want = "\"members\":" + many + ",";
        for (Shop shop : this.all) {
            long end = System.nanoTime() + 60_000_000_000L;
            while (true) {
                String health = shop.ask("/actuator/health/cachemesh").join().body();
                if (health.contains(want) && health.contains("\"settled\":true")) {
                    break;
                }
                if (System.nanoTime() > end) {
                    throw new IllegalStateException("shop " + shop.name() + " has not " + many + " members: " + health);
                }
                pause(20);
            }
        }
    }

    /** Waits between two looks. */
    public static void pause(long millis) {
        try {
            Thread.sleep(millis);
        }
        catch (InterruptedException ex) {
            throw new IllegalStateException(ex);
        }
    }

    /** Returns the instance of a number, from 0. */
    public Shop get(int i) {
        return this.all.get(i);
    }

    /** Returns all, in the order in which they were started. */
    public List<Shop> all() {
        return List.copyOf(this.all);
    }

    /** Returns how often all together read from the database. */
    public long reads() {
        return this.all.stream().mapToLong(Shop::reads).sum();
    }

    @Override
    public void close() {
        this.all.parallelStream().forEach(Shop::close);
        this.database.close();
    }
}
