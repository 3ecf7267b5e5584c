package io.github.praveenduddu.cachemesh.sample.drive;

import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/** What is done with the shops, and what came of it. */
public final class Scenes {

    private final Shops shops;

    /** Plays with these. */
    public Scenes(Shops shops) {
        this.shops = shops;
    }

    /**
     * What a stampede did.
     *
     * @param requests how many there were
     * @param loads how often the method ran, in all instances together
     * @param wrong how many answers were not the books
     * @param millis how long all of it took
     */
    public record Stampede(long requests, long loads, long wrong, long millis) {
    }

    /** Asks all instances for the books of an author whom nobody has asked for, with so many requests each at once. */
    public Stampede stampede(String author, int each) {
        String title = "Book of " + author;
        this.shops.get(0).put("/books/of-" + author, "{\"title\":\"" + title + "\",\"author\":\"" + author + "\",\"cents\":1}");
        long before = this.shops.reads();
        long begin = System.nanoTime();
        List<CompletableFuture<HttpResponse<String>>> asked = new ArrayList<>();
        for (int i = 0; i < each; i++) {
            for (Shop shop : this.shops.all()) {
                asked.add(shop.ask("/books?author=" + author));
            }
        }
        long wrong = asked.stream().map(CompletableFuture::join)
            .filter((answer) -> answer.statusCode() != 200 || !answer.body().contains(title)).count();
        return new Stampede(asked.size(), this.shops.reads() - before, wrong, millisSince(begin));
    }

    /**
     * What changes did.
     *
     * @param rounds how many there were
     * @param reads how many answers were looked at
     * @param stale how many of them were what was before the change
     * @param loads how often the method ran
     */
    public record Changes(long rounds, long reads, long stale, long loads) {
    }

    /** Changes a price in one instance and looks at once in all, again and again; the instances take turns. */
    public Changes changes(String isbn, int rounds) {
        this.shops.get(0).put("/books/" + isbn, "{\"title\":\"Changes\",\"author\":\"All\",\"cents\":0}");
        long before = this.shops.reads();
        long stale = 0;
        for (int i = 1; i <= rounds; i++) {
            this.shops.get(i % Shops.MANY).put("/books/" + isbn + "/price?cents=" + i, "");
            String want = "\"cents\":" + i + "}";
            stale += this.shops.all().stream().map((shop) -> shop.ask("/books/" + isbn)).toList().stream()
                .filter((answer) -> !answer.join().body().endsWith(want)).count();
        }
        return new Changes(rounds, (long) rounds * Shops.MANY, stale, this.shops.reads() - before);
    }

    /**
     * What the loss of a member did.
     *
     * @param requests how many requests there were meanwhile
     * @param failed how many of them failed
     * @param backMillis how long it took until the member was back
     * @param orphans processes that should have ended and have not
     */
    public record Loss(long requests, long failed, long backMillis, long orphans) {
    }

    /** Kills the member of an instance while all are asked for books, and waits until it is back. */
    public Loss killMember(Shop shop) {
        ProcessHandle member = shop.member();
        try (Load load = new Load()) {
            Shops.pause(300);
            long begin = System.nanoTime();
            member.destroyForcibly();
            while (!back(shop, member)) {
                Shops.pause(5);
            }
            long back = millisSince(begin);
            this.shops.awaitMembers(Shops.MANY);
            Shops.pause(300);
            load.close();
            return new Loss(load.requests.get(), load.failed.get(), back, 0);
        }
    }

    private static boolean back(Shop shop, ProcessHandle was) {
        return shop.jvm().children().anyMatch((child) -> child.pid() != was.pid() && child.isAlive())
                && shop.ask("/actuator/health/cachemesh").join().body().contains("\"status\":\"UP\"");
    }

    /** Kills the JVM of an instance while the others are asked for books, and looks for its member. */
    public Loss killJvm(Shop shop) {
        ProcessHandle member = shop.member();
        this.shops.kill(shop);
        long begin = System.nanoTime();
        try (Load load = new Load()) {
            while (runs(member) && millisSince(begin) < 10_000) {
                Shops.pause(5);
            }
            long gone = millisSince(begin);
            Shops.pause(1000);
            load.close();
            return new Loss(load.requests.get(), load.failed.get(), gone, runs(member) ? 1 : 0);
        }
    }

    /** Whether a process has not ended. One that has, and that its new parent has yet to take note of, has no command. */
    private static boolean runs(ProcessHandle process) {
        return process.isAlive() && process.info().command().isPresent();
    }

    /** Requests for a hundred books to all instances, one at a time to each, until it is closed. */
    private final class Load implements AutoCloseable {

        final AtomicLong requests = new AtomicLong();

        final AtomicLong failed = new AtomicLong();

        private final AtomicBoolean over = new AtomicBoolean();

        private final List<Thread> threads = new ArrayList<>();

        Load() {
            for (Shop shop : Scenes.this.shops.all()) {
                Thread thread = new Thread(() -> run(shop), "load-" + shop.name());
                thread.start();
                this.threads.add(thread);
            }
        }

        private void run(Shop shop) {
            for (int i = 0; !this.over.get(); i++) {
                this.requests.incrementAndGet();
                try {
                    int status = shop.ask("/books/load-" + i % 100).get(30, TimeUnit.SECONDS).statusCode();
                    if (status != 404) { // there are no such books, which is cached too
                        this.failed.incrementAndGet();
                    }
                }
                catch (Exception ex) {
                    this.failed.incrementAndGet();
                }
            }
        }

        @Override
        public void close() {
            this.over.set(true);
            for (Thread thread : this.threads) {
                try {
                    thread.join();
                }
                catch (InterruptedException ex) {
                    Thread.currentThread().interrupt();
                }
            }
        }
    }

    private static long millisSince(long begin) {
        return (System.nanoTime() - begin) / 1_000_000;
    }
}
