package io.github.praveenduddu.cachemesh.sample.drive;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Starts three shops and shows what their cache does: progress, and a table of what each scene proved. */
public final class Drive {

    private static final List<String[]> TABLE = new ArrayList<>();

    private static boolean good = true;

    private Drive() {
    }

    /**
     * Drives.
     *
     * @param args the application's jar; with {@code postgres} the database is a server of PostgreSQL, with {@code stay} the
     *     shops stay open until return is pressed
     */
    public static void main(String[] args) throws Exception {
        List<String> asked = List.of(args);
        Database database = asked.contains("postgres") ? Database.postgres() : Database.h2();
        say("Three JVMs of the shop start, each with its member, on one database, " + database.name() + " …");
        long begin = System.nanoTime();
        try (Shops shops = new Shops(Path.of(args[0]), database)) {
            say("  … one mesh of three after %.1f s. Look at it yourself:".formatted((System.nanoTime() - begin) / 1e9));
            say("    curl " + shops.get(0).uri("/books/9780134190440"));
            say("    curl " + shops.get(0).uri("/actuator/cachemesh"));
            Scenes scenes = new Scenes(shops);
            say("200 requests to each, at once, for what none has …");
            Scenes.Stampede stampede = scenes.stampede("Nobody", 200);
            row("@Cacheable(sync = true)", stampede.requests() + " requests at once", "the method ran " + stampede.loads() + " time(s), "
                    + stampede.wrong() + " wrong answers", stampede.loads() == 1 && stampede.wrong() == 0);
            say("A price changes in one, and all are asked at once, 200 times …");
            Scenes.Changes changes = scenes.changes("changes", 200);
            row("@CacheEvict", changes.rounds() + " changes, " + changes.reads() + " answers", changes.stale() + " stale, "
                    + changes.loads() + " loads", changes.stale() == 0);
            say("A book is put in one …");
            shops.get(1).put("/books/new", "{\"title\":\"New\",\"author\":\"New\",\"cents\":1}");
            long before = shops.reads();
            long there = shops.all().stream().filter((shop) -> shop.get("/books/new").contains("New")).count();
            row("@CachePut", "1 put in B", "there in " + there + " of 3, " + (shops.reads() - before) + " loads", there == 3 && shops.reads() == before);
            say("kill -9 of C's member, while all are asked …");
            Scenes.Loss member = scenes.killMember(shops.get(2));
            row("a member dies", member.requests() + " requests meanwhile", member.failed() + " failed; it was back after " + member.backMillis() + " ms",
                    member.failed() == 0);
            if (asked.contains("stay")) {
                say("The shops stay open. Press return to end.");
                System.in.read();
            }
            say("kill -9 of C's JVM, while the others are asked …");
            Scenes.Loss jvm = scenes.killJvm(shops.get(2));
            row("a JVM dies", jvm.requests() + " requests meanwhile", jvm.failed() + " failed; its member was gone after " + jvm.backMillis() + " ms",
                    jvm.failed() == 0 && jvm.orphans() == 0);
        }
        print();
        System.exit(good ? 0 : 1);
    }

    private static void say(String line) {
        System.out.println(line);
    }

    private static void row(String what, String done, String came, boolean proved) {
        TABLE.add(new String[] { what, done, came, proved ? "yes" : "NO" });
        good &= proved;
        say("  " + came);
    }

    private static void print() {
        say("");
        TABLE.add(0, new String[] { "what", "done", "came of it", "as promised" });
        int[] widths = new int[4];
        TABLE.forEach((row) -> {
            for (int i = 0; i < row.length; i++) {
                widths[i] = Math.max(widths[i], row[i].length());
            }
        });
        for (String[] row : TABLE) {
            StringBuilder line = new StringBuilder();
            for (int i = 0; i < row.length; i++) {
                line.append(row[i]).append(" ".repeat(widths[i] - row[i].length() + 2));
            }
            say(line.toString().stripTrailing());
        }
    }
}
