package io.github.praveenduddu.cachemesh.member;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Why a member does not start is said in plain words, and nothing hangs. */
class StartIT {

    @TempDir
    Path temp;

    MemberOptions.Builder options() {
        return MemberOptions.managed().folder(temp.resolve("folder")).startTimeout(Duration.ofSeconds(10));
    }

    AbstractThrowableAssert<?, ?> starting(MemberOptions.Builder o) {
        long begin = System.nanoTime();
        CacheMeshMember m = CacheMeshMember.create(o.build());
        AbstractThrowableAssert<?, ?> thrown = assertThatThrownBy(m::start).isInstanceOf(MemberException.class);
        assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(8));
        assertThat(m.health().state()).isEqualTo(MemberState.STOPPED);
        m.stop();
        return thrown;
    }

    /** Starts with a program on the class path. */
    MemberOptions.Builder packed(byte[] program) throws IOException {
        return options().classLoader(Kit.loader(Kit.jar(temp, program)));
    }

    @Test
    void noProgram() {
        starting(options().classLoader(ClassLoader.getPlatformClassLoader())).isInstanceOf(ProgramMissingException.class)
                .hasMessage("there is no program for " + Platform.here() + " on the class path: depend on io.github.praveenduddu:cachemesh-binary-"
                        + Platform.here() + ", or set the member's binary to a program that you have built; or connect to a member that runs already (external)");
        starting(options().binary(temp.resolve("none"))).isInstanceOf(ProgramMissingException.class).hasMessage("there is no program at " + temp.resolve("none"));
    }

    @Test
    void anotherArchitecture() throws IOException {
        byte[] program = Files.readAllBytes(Kit.program());
        String other = Platform.here().equals("linux-amd64") ? "linux-arm64" : "linux-amd64";
        program[18] = (byte) (other.endsWith("arm64") ? 183 : 62);
        starting(packed(program)).isInstanceOf(WrongArchitectureException.class)
                .hasMessageContaining("is for " + other + ", and this system is " + Platform.here() + ": depend on io.github.praveenduddu:cachemesh-binary-" + Platform.here());
        Path mac = temp.resolve("mac");
        Files.write(mac, new byte[] {(byte) 0xcf, (byte) 0xfa, (byte) 0xed, (byte) 0xfe, 0x0c, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
        starting(options().binary(mac)).isInstanceOf(WrongArchitectureException.class).hasMessageContaining("is for darwin-arm64");
    }

    @Test
    void noProgramAtAll() throws IOException {
        Path plain = Files.writeString(temp.resolve("plain"), "this is no program");
        starting(options().binary(plain)).isInstanceOf(NotExecutableException.class).hasMessageContaining("may not be run there");
    }

    @Test
    void foldersThatCannotBeUsed() throws IOException {
        Path file = Files.writeString(temp.resolve("file"), "");
        starting(options().folder(file).binary(Kit.program())).isInstanceOf(FolderException.class)
                .hasMessageContaining("the folder " + file + " for the program cannot be used").hasMessageContaining("set the member's folder to one that this user can write");
        Path open = Files.createDirectory(temp.resolve("open"));
        Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxrwxrwx"));
        starting(options().folder(open).binary(Kit.program())).isInstanceOf(FolderException.class)
                .hasMessageContaining("is not this user's alone").hasMessageContaining("rwxrwxrwx");
        try (CacheMeshMember m = CacheMeshMember.create(options().folder(open.resolve("cachemesh")).binary(Kit.program()).build())) {
            m.start(); // a folder of its own in one that is all users', as where a volume is mounted
            assertThat(m.health().up()).isTrue();
        }
    }

    @Test
    void mountedFolders() throws Exception {
        byte[] program = Files.readAllBytes(Kit.program());
        Path noexec = mount("noexec");
        try {
            starting(packed(program).folder(noexec.resolve("folder"))).isInstanceOf(NotExecutableException.class)
                    .hasMessageContaining("mounted noexec: set the member's folder to one that allows programs");
        } finally {
            umount(noexec);
        }
        Path readOnly = mount("ro");
        try {
            starting(packed(program).folder(readOnly.resolve("folder"))).isInstanceOf(FolderException.class).hasMessageContaining("Read-only file system");
        } finally {
            umount(readOnly);
        }
    }

    private Path mount(String how) throws Exception {
        Path at = Files.createDirectory(temp.resolve(how));
        Process p = new ProcessBuilder("mount", "-t", "tmpfs", "-o", how + ",mode=0700", "tmpfs", at.toString()).redirectErrorStream(true).start();
        String said = new String(p.getInputStream().readAllBytes());
        Assumptions.assumeTrue(p.waitFor() == 0, "only root may mount: " + said);
        return at;
    }

    private void umount(Path at) throws Exception {
        assertThat(new ProcessBuilder("umount", "-l", at.toString()).start().waitFor()).isZero();
    }

    @Test
    void damagedProgram() throws Exception {
        Path dir = temp.resolve("classes");
        Path program = dir.resolve(Kit.resource());
        Files.createDirectories(program.getParent());
        Files.writeString(program, "#!/bin/sh\n");
        Files.writeString(program.resolveSibling("cachemesh.sha256"), "0".repeat(64));
        starting(options().classLoader(Kit.loader(dir))).isInstanceOf(ProgramMissingException.class).hasMessageContaining("is damaged: its digest is ");
        try (var left = Files.walk(temp.resolve("folder"))) {
            assertThat(left.filter(f -> f.toString().endsWith(".part"))).isEmpty();
        }
    }

    @Test
    void portsThatAreTaken() throws IOException {
        try (ServerSocket s = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            int port = s.getLocalPort();
            for (MemberOptions.Builder o : new MemberOptions.Builder[] {options().clientPort(port), options().httpPort(port), options().listen("127.0.0.1:" + port)}) {
                starting(o.binary(Kit.program())).isInstanceOf(PortTakenException.class)
                        .hasMessageContaining("a port of the member is another process's").hasMessageContaining(":" + port);
            }
        }
    }

    @Test
    void otherProgramsAndVersions() throws IOException {
        starting(options().binary(Kit.script(temp, "echo '{\"event\":\"ready\",\"protocol\":2,\"version\":\"9.0\"}'; sleep 60"))).isInstanceOf(ProtocolException.class)
                .hasMessageContaining("(9.0) speaks protocol 2, and this library 1: use the same version of both");
        starting(options().binary(Kit.script(temp, "echo hello; sleep 60"))).isInstanceOf(ProtocolException.class).hasMessageEndingWith("is not cachemesh: it said hello");
        starting(options().binary(Kit.script(temp, "echo 'cachemesh: unknown flag: --announce' >&2; exit 2"))).isInstanceOf(ProtocolException.class)
                .hasMessageContaining("is of an older version than this library");
        starting(options().binary(Kit.script(temp, "echo 'out of memory' >&2; exit 7"))).isInstanceOf(StartFailedException.class)
                .hasMessage("the member did not start: it ended with 7, and said: out of memory");
        starting(options().binary(Kit.program()).settings(Map.of("bogus", "1"))).isInstanceOf(StartFailedException.class).hasMessageContaining("unknown flag: --bogus");
        starting(options().binary(Kit.program()).secret("short")).isInstanceOf(StartFailedException.class).hasMessageContaining("16 or more");
    }

    @Test
    void aProgramThatHangsIsEnded() throws IOException {
        Path pid = temp.resolve("pid");
        starting(options().binary(Kit.script(temp, "echo $$ > " + pid + "; exec sleep 60")).startTimeout(Duration.ofMillis(500))).isInstanceOf(StartTimeoutException.class)
                .hasMessageContaining("the member was not ready within PT0.5S and was ended");
        long was = Long.parseLong(Files.readString(pid).trim());
        Kit.until("it is gone", Duration.ofSeconds(2), () -> Kit.gone(was));
    }

    /** A member that dies again and again is started less and less often, and stop does not wait for it. */
    @Test
    void restartsBackOff() throws Exception {
        Path starts = temp.resolve("starts");
        String ready = "{\"event\":\"ready\",\"protocol\":1,\"version\":\"x\",\"name\":\"n\",\"mesh\":\"127.0.0.1:1\",\"redis\":\"127.0.0.1:1\",\"pid\":'$$'}";
        Path program = Kit.script(temp, "echo x >> " + starts + "; echo '" + ready + "'; sleep 0.01");
        CacheMeshMember m = CacheMeshMember.create(options().binary(program).restartBackoff(Duration.ofMillis(20), Duration.ofMillis(400)).build());
        m.start();
        Kit.until("it was started six times", Duration.ofSeconds(10), () -> m.health().restarts() >= 5);
        long begin = System.nanoTime();
        m.stop();
        assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(2));
        int were = Files.readAllLines(starts).size();
        TimeUnit.MILLISECONDS.sleep(600); // longer than the longest pause
        assertThat(Files.readAllLines(starts)).hasSize(were).hasSizeLessThan(9);
    }
}
