package io.github.praveenduddu.cachemesh.member;

import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/**
 * A JVM with a member: {@code folder jar}, and "stays" for one that takes a moment to end, and says then how its
 * member is. It says the member's process, and lives until it is ended or told "exit".
 */
final class JvmMain {

    private JvmMain() {}

    public static void main(String[] args) throws Exception {
        CacheMeshMember m = CacheMeshMember.create(MemberOptions.managed().folder(Path.of(args[0]))
                .classLoader(Kit.loader(Path.of(args[1]))).restartBackoff(args.length > 2 ? Duration.ofSeconds(1) : Duration.ofMillis(100), Duration.ofSeconds(10))
                .build());
        m.start();
        if (args.length > 2) {
            Runtime.getRuntime().addShutdownHook(new Thread(() -> {
                for (long end = System.nanoTime() + 1_500_000_000; System.nanoTime() - end < 0;) {
                    LockSupport.parkNanos(5_000_000);
                }
                System.out.println("at the end " + m.health().state() + " " + m.health().restarts());
                m.stop();
            }));
        }
        System.out.println("pid " + m.current().pid());
        System.out.flush();
        while (true) {
            int c = System.in.read();
            if (c == 'e' || c < 0) {
                System.exit(0);
            }
        }
    }
}
