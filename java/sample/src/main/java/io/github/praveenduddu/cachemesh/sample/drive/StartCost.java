package io.github.praveenduddu.cachemesh.sample.drive;

import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * Measures what the starter adds to an application's start: with it and without it by turns, the medians. On a machine
 * that is busy with other things the time says little, the processor's time more.
 */
public final class StartCost {

    private StartCost() {
    }

    /**
     * What a start took, in seconds.
     *
     * @param time until the application was ready, as it says
     * @param cpu the processor's time of the JVM until then
     * @param member the same of its member
     */
    private record Start(double time, double cpu, double member) {
    }

    /**
     * Measures.
     *
     * @param args the application's jar, and how often
     */
    public static void main(String[] args) {
        List<Start> with = new ArrayList<>();
        List<Start> without = new ArrayList<>();
        int times = Integer.parseInt(args[1]);
        for (int i = -1; i < times; i++) { // the first unpacks the program, and warms the file cache
            Start plain = start(Path.of(args[0]), "--cachemesh.enabled=false", "--spring.cache.type=simple");
            Start mesh = start(Path.of(args[0]), "--cachemesh.enabled=true", "--cachemesh.mesh=start-cost");
            System.out.printf("without %.3f s (cpu %.2f), with %.3f s (cpu %.2f, member %.2f), load %.1f%n", plain.time, plain.cpu, mesh.time,
                    mesh.cpu, mesh.member, ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage());
            if (i >= 0) {
                without.add(plain);
                with.add(mesh);
            }
        }
        System.out.printf("medians of %d: without %.3f s, with %.3f s: the starter costs %.0f ms; of the processor %.0f ms, and its member %.0f ms%n", times,
                median(without, Start::time), median(with, Start::time), 1000 * (median(with, Start::time) - median(without, Start::time)),
                1000 * (median(with, Start::cpu) - median(without, Start::cpu)), 1000 * median(with, Start::member));
    }

    private static double median(List<Start> all, ToDoubleFunction<Start> of) {
        return all.stream().mapToDouble(of).sorted().skip(all.size() / 2).findFirst().orElseThrow();
    }

    private static Start start(Path jar, String... arguments) {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.add("--spring.datasource.url=jdbc:h2:mem:shop;MODE=PostgreSQL");
        try (Shop shop = Shop.start(jar, "S", all.toArray(String[]::new))) {
            double time = shop.ready();
            return new Start(time, cpu(shop.jvm()), shop.jvm().children().mapToDouble(StartCost::cpu).sum());
        }
    }

    private static double cpu(ProcessHandle process) {
        return process.info().totalCpuDuration().orElse(Duration.ZERO).toMillis() / 1000.0;
    }
}
