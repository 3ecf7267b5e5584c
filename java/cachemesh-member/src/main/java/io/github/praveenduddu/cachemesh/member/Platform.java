package io.github.praveenduddu.cachemesh.member;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** For which systems the program is, and which this one is. */
final class Platform {

    private static final int ELF = 0x464c457f;
    private static final int MACH = 0xfeedfacf;
    private static final int PE = 0x00004550;
    private static final int PE_AT = 0x3c; // where a Windows program says where its header is
    private static final int BEGIN = 4096; // bytes in which a program says what it is for
    private static final Set<String> MODULES = Set.of("linux-amd64", "linux-arm64", "darwin-amd64", "darwin-arm64", "windows-amd64");

    private Platform() {}

    static boolean windows() {
        return os().equals("windows");
    }

    /** Returns this system as the program's modules name it, such as linux-amd64. */
    static String here() {
        return os() + "-" + arch();
    }

    /** Returns what to do to have a program for this system. */
    static String advice() {
        return MODULES.contains(here()) ? "depend on io.github.praveenduddu:cachemesh-binary-" + here() + ", or set the member's binary to a program that you have built"
                : "there is no module with one: build it from the repository (make build), and set the member's binary to it";
    }

    private static String os() {
        String os = System.getProperty("os.name", "").toLowerCase(Locale.ROOT);
        return os.startsWith("windows") ? "windows" : os.startsWith("mac") ? "darwin" : os.startsWith("linux") ? "linux" : os.replace(' ', '-');
    }

    private static String arch() {
        String arch = System.getProperty("os.arch", "").toLowerCase(Locale.ROOT);
        return switch (arch) {
            case "amd64", "x86_64" -> "amd64";
            case "aarch64", "arm64" -> "arm64";
            default -> arch;
        };
    }

    /** Fails if a file is a program for another system. What is no program that is known here, as a script, passes. */
    static void check(Path program) {
        String is;
        try (InputStream in = Files.newInputStream(program)) {
            is = of(in.readNBytes(BEGIN));
        } catch (IOException e) {
            throw new ProgramMissingException("the program " + program + " cannot be read: " + e, e);
        }
        if (is != null && !is.equals(here())) {
            throw new WrongArchitectureException("the program " + program + " is for " + is + ", and this system is " + here() + ": " + advice(), null);
        }
    }

    private static @Nullable String of(byte[] begin) {
        if (begin.length < 20) {
            return null;
        }
        ByteBuffer b = ByteBuffer.wrap(begin).order(ByteOrder.LITTLE_ENDIAN);
        if (b.getInt(0) == ELF) {
            int machine = b.getShort(18) & 0xffff;
            return "linux-" + (machine == 62 ? "amd64" : machine == 183 ? "arm64" : "machine " + machine);
        }
        if (b.getInt(0) == MACH) {
            int cpu = b.getInt(4);
            return "darwin-" + (cpu == 0x01000007 ? "amd64" : cpu == 0x0100000c ? "arm64" : "cpu " + cpu);
        }
        return begin[0] == 'M' && begin[1] == 'Z' ? "windows-" + windowsMachine(b) : null;
    }

    private static String windowsMachine(ByteBuffer b) {
        int at = b.limit() < PE_AT + 4 ? -1 : b.getInt(PE_AT);
        if (at < 0 || at > b.limit() - 6 || b.getInt(at) != PE) {
            return "program without a machine";
        }
        int machine = b.getShort(at + 4) & 0xffff;
        return machine == 0x8664 ? "amd64" : machine == 0xaa64 ? "arm64" : "machine " + machine;
    }
}
