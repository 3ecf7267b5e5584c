package io.github.praveenduddu.cachemesh.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;

/** Runs three instances of each cache by turns, and prints a table. */
public final class Bench {

    private static final List<String> CACHES = List.of(System.getProperty("bench.caches", "cachemesh,redis,redis-locking,hazelcast").split(","));

    private static final int MANY = 3;

    private record Line(Process process, BufferedReader in, PrintWriter out) {

        String answer() throws IOException {
            for (String line = this.in.readLine(); line != null; line = this.in.readLine()) {
                if (line.startsWith("= ")) {
                    return line.substring(2);
                }
                if (System.getenv("BENCH_LOG") != null) {
                    System.err.println(line);
                }
            }
            throw new IOException("an instance has ended");
        }
    }

    private record Figures(List<long[]> stampedes, List<long[]> mixed, List<long[]> places) {
    }

    private Bench() {
    }

    /**
     * Measures.
     *
     * @param args the application's jar, the Redis port, rounds, and reads of a thread in each
     */
    public static void main(String[] args) throws Exception {
        int rounds = Integer.parseInt(args[2]);
        Map<String, Figures> all = new LinkedHashMap<>();
        CACHES.forEach((cache) -> all.put(cache, new Figures(new ArrayList<>(), new ArrayList<>(), new ArrayList<>())));
        for (int round = 0; round < rounds; round++) {
            for (String cache : CACHES) {
                play(Path.of(args[0]), args[1], cache, round, Integer.parseInt(args[3]), all.get(cache));
            }
            print(all); // what is there, should nobody wait for the last
        }
        System.exit(0);
    }

    private static void print(Map<String, Figures> all) {
        System.out.println("| cache | calls of the method in a stampede of 600 | it took, ms | reads | stale | failed | calls | a read, p50 µs | p99 µs |");
        System.out.println("|---|---|---|---|---|---|---|---|---|");
        all.forEach((cache, figures) -> System.out.printf("| %s | %s | %.0f | %d | %d | %d | %d | %.0f | %.0f |%n", cache,
                range(figures.stampedes.stream().mapToLong((f) -> f[0]).toArray()),
                figures.stampedes.stream().mapToLong((f) -> f[1]).average().orElse(0), sum(figures, 0), sum(figures, 1), sum(figures, 2), sum(figures, 3),
                median(figures.mixed, 4), median(figures.mixed, 5)));
        all.forEach((cache, figures) -> printPlaces(figures.places));
    }

    private static void printPlaces(List<long[]> places) {
        if (places.isEmpty()) {
            return;
        }
        System.out.println("\n| a hit of one thread, alone | reads | p50 µs | p99 µs |\n|---|---|---|---|");
        List<String> names = List.of("in the own member, its own key", "in the own member, a copy", "in another member");
        for (int i = 0; i < names.size(); i++) {
            int at = 3 * i;
            System.out.printf("| %s | %d | %.0f | %.0f |%n", names.get(i), places.stream().mapToLong((f) -> f[at]).sum(), median(places, at + 1),
                    median(places, at + 2));
        }
    }

    private static void play(Path jar, String redis, String cache, int round, int each, Figures figures) throws Exception {
        Path origin = Files.createTempFile("origin", null);
        List<Line> instances = new ArrayList<>();
        try {
            for (int i = 0; i < MANY; i++) {
                instances.add(start(jar, redis, cache, origin));
            }
            for (Line line : instances) {
                line.answer();
            }
            Thread.sleep(3000); // until all know all
            for (int n = 0; n < 5; n++) {
                figures.stampedes.add(ask(instances, "stampede r" + round + "-" + n + "-" + ProcessHandle.current().pid() + " 200"));
            }
            ask(instances, "mixed 4 2000 99"); // to warm up
            for (int i = 0; i < MANY; i++) {
                instances.get(i).out.println("mixed 4 " + each + " " + (round * MANY + i));
            }
            for (Line line : instances) {
                figures.mixed.add(parse(line.answer()));
            }
            if (cache.equals("cachemesh")) {
                instances.get(0).out.println("places 10");
                figures.places.add(parse(instances.get(0).answer()));
            }
            System.out.println(cache + ", round " + round + ": stampedes "
                    + range(figures.stampedes.stream().mapToLong((f) -> f[0]).toArray()) + ", stale " + sum(figures, 1) + " of " + sum(figures, 0));
        }
        finally {
            for (Line line : instances) {
                line.out.println("end");
            }
            for (Line line : instances) {
                if (!line.process.waitFor(20, java.util.concurrent.TimeUnit.SECONDS)) {
                    line.process.destroyForcibly();
                }
            }
            Files.delete(origin);
        }
    }

    private static Line start(Path jar, String redis, String cache, Path origin) throws IOException {
        List<String> command = new ArrayList<>(List.of("java", "-Xmx384m", "-XX:+UseSerialGC", "-jar", jar.toString(), "--bench.cache=" + cache,
                "--bench.origin=" + origin, "--cachemesh.enabled=" + cache.equals("cachemesh"), "--cachemesh.mesh=bench-" + ProcessHandle.current().pid(),
                "--spring.data.redis.port=" + redis));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        return new Line(process, process.inputReader(), new PrintWriter(process.outputWriter(), true));
    }

    private static long[] ask(List<Line> instances, String what) throws IOException {
        instances.forEach((line) -> line.out.println(what));
        long[] sum = null;
        for (Line line : instances) {
            long[] one = parse(line.answer());
            if (sum == null) {
                sum = one;
            }
            else {
                sum[0] += one[0];
                sum[1] = Math.max(sum[1], one[1]);
            }
        }
        return (sum != null) ? sum : new long[2];
    }

    private static long[] parse(String answer) {
        return java.util.Arrays.stream(answer.split(" ")).mapToLong(Long::parseLong).toArray();
    }

    private static long sum(Figures figures, int at) {
        return figures.mixed.stream().mapToLong((f) -> f[at]).sum();
    }

    private static double median(List<long[]> figures, int at) {
        long[] all = figures.stream().mapToLong((f) -> f[at]).sorted().toArray();
        return all[all.length / 2] / 1000.0;
    }

    private static String range(long[] values) {
        long least = LongStream.of(values).min().orElse(0);
        long most = LongStream.of(values).max().orElse(0);
        return (least == most) ? String.valueOf(least) : least + "–" + most;
    }
}
