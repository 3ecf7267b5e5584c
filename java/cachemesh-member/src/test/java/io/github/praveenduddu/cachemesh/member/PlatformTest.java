package io.github.praveenduddu.cachemesh.member;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which system a program is for, by its first bytes, and what is said on another. */
class PlatformTest {

    @TempDir
    Path temp;

    private final String os = System.getProperty("os.name");
    private final String arch = System.getProperty("os.arch");

    @AfterEach
    void here() {
        on(os, arch);
    }

    static void on(String os, String arch) {
        System.setProperty("os.name", os);
        System.setProperty("os.arch", arch);
    }

    static byte[] elf(int machine) {
        return ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN).putInt(0x464c457f).putShort(18, (short) machine).array();
    }

    static byte[] mach(int cpu) {
        return ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN).putInt(0xfeedfacf).putInt(cpu).array();
    }

    static byte[] pe(int machine) {
        return ByteBuffer.allocate(256).order(ByteOrder.LITTLE_ENDIAN).put((byte) 'M').put((byte) 'Z').putInt(0x3c, 128).putInt(128, 0x4550)
                .putShort(132, (short) machine).array();
    }

    Path write(byte[] program) throws IOException {
        return Files.write(temp.resolve("program"), program);
    }

    @Test
    void eachSystemTakesItsOwnAlone() throws IOException {
        Map<String, byte[]> all = Map.of("linux-amd64", elf(62), "linux-arm64", elf(183), "darwin-amd64", mach(0x01000007),
                "darwin-arm64", mach(0x0100000c), "windows-amd64", pe(0x8664), "windows-arm64", pe(0xaa64));
        Map<String, String[]> systems = Map.of("linux-amd64", new String[] {"Linux", "amd64"}, "linux-arm64", new String[] {"Linux", "aarch64"},
                "darwin-amd64", new String[] {"Mac OS X", "x86_64"}, "darwin-arm64", new String[] {"Mac OS X", "aarch64"},
                "windows-amd64", new String[] {"Windows Server 2022", "amd64"});
        for (var system : systems.entrySet()) {
            on(system.getValue()[0], system.getValue()[1]);
            assertThat(Platform.here()).isEqualTo(system.getKey());
            for (var program : all.entrySet()) {
                Path file = write(program.getValue());
                if (program.getKey().equals(system.getKey())) {
                    Platform.check(file);
                } else {
                    assertThatThrownBy(() -> Platform.check(file)).isInstanceOf(WrongArchitectureException.class)
                            .hasMessage("the program " + file + " is for " + program.getKey() + ", and this system is " + system.getKey()
                                    + ": depend on io.github.praveenduddu:cachemesh-binary-" + system.getKey()
                                    + ", or set the member's binary to a program that you have built");
                }
            }
        }
    }

    /** No module is named that there is not. */
    @Test
    void systemsWithoutAModule() throws IOException {
        on("Windows 11", "aarch64");
        assertThatThrownBy(() -> Platform.check(write(pe(0x8664)))).isInstanceOf(WrongArchitectureException.class)
                .hasMessageEndingWith(" is for windows-amd64, and this system is windows-arm64: there is no module with one: build it from the repository"
                        + " (make build), and set the member's binary to it");
        Platform.check(write(pe(0xaa64)));
        on("FreeBSD", "amd64");
        assertThat(Platform.advice()).startsWith("there is no module with one");
    }

    @Test
    void scriptsAndShortFilesPass() throws IOException {
        for (String text : new String[] {"", "#!", "#!/bin/sh\necho a script of some length"}) {
            Platform.check(write(text.getBytes()));
        }
        assertThatThrownBy(() -> Platform.check(write("MZ and then nothing that is known".getBytes()))).isInstanceOf(WrongArchitectureException.class);
    }
}
