package io.github.praveenduddu.cachemesh.member;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.praveenduddu.cachemesh.client.CacheMeshClient;
import io.github.praveenduddu.cachemesh.client.ClientOptions;
import io.github.praveenduddu.cachemesh.client.MemberAddress;
import java.io.IOException;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Assumptions;

/** What the tests of members need. */
final class Kit {

    private Kit() {}

    /** Returns the program; without it the tests are left out, but never in CI. */
    static Path program() {
        Path p = Path.of(System.getProperty("cachemesh.binary", "bin/cachemesh")).toAbsolutePath().normalize();
        if (!Files.isExecutable(p)) {
            String message = "there is no program at " + p + ": `make build` makes it; -Dcachemesh.binary=… names another";
            assertThat(System.getenv("CI")).as(message).isNull();
            Assumptions.abort(message);
        }
        return p;
    }

    /** Makes a jar with a program for this system, as the modules cachemesh-binary-* are. */
    static Path jar(Path folder, byte[] program) throws IOException {
        Path jar = folder.resolve("program.jar");
        try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(jar))) {
            out.setLevel(0);
            out.putNextEntry(new ZipEntry(resource()));
            out.write(program);
            out.putNextEntry(new ZipEntry(resource() + ".sha256"));
            out.write(HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(program)).getBytes());
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
        return jar;
    }

    static String resource() {
        return "META-INF/cachemesh/" + Platform.here() + "/cachemesh";
    }

    static ClassLoader loader(Path jar) {
        try {
            return new URLClassLoader(new URL[] {jar.toUri().toURL()}, null);
        } catch (MalformedURLException e) {
            throw new AssertionError(e);
        }
    }

    /** Makes a program of a shell script. */
    static Path script(Path folder, String text) throws IOException {
        Path file = folder.resolve("script-" + Long.toHexString(crc(text)));
        Files.writeString(file, "#!/bin/sh\n" + text + "\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwx------"));
        return file;
    }

    private static long crc(String text) {
        CRC32 c = new CRC32();
        c.update(text.getBytes());
        return c.getValue();
    }

    static CacheMeshClient client(CacheMeshMember m) {
        return CacheMeshClient.create(ClientOptions.builder(() -> {
            ReadyMember r = m.current();
            return MemberAddress.of(r.host(), r.port(), r.password());
        }).build());
    }

    static void until(String what, Duration most, BooleanSupplier holds) {
        for (long end = System.nanoTime() + most.toNanos(); !holds.getAsBoolean(); LockSupport.parkNanos(2_000_000)) {
            assertThat(System.nanoTime() - end).as(what).isNegative();
        }
    }

    /** Whether a process is gone; one that nobody has asked for its exit code yet is. */
    static boolean gone(long pid) {
        try {
            String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
            return stat.charAt(stat.lastIndexOf(')') + 2) == 'Z';
        } catch (IOException e) {
            return true;
        }
    }

    static void kill(long pid) throws IOException, InterruptedException {
        assertThat(new ProcessBuilder("kill", "-9", String.valueOf(pid)).inheritIO().start().waitFor()).isZero();
    }
}
