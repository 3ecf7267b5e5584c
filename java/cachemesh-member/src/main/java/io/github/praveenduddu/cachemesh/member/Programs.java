package io.github.praveenduddu.cachemesh.member;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The program as it was unpacked into a folder, each version in a home of its own, which its digest names. Who unpacks
 * a new version removes former ones: those that nobody wanted for an hour, and that no process runs.
 */
final class Programs {

    private static final Logger log = LoggerFactory.getLogger(CacheMeshMember.class);
    private static final Pattern HOME = Pattern.compile("[0-9a-f]{32}");
    private static final Duration KEPT = Duration.ofHours(1); // after it was last wanted
    private static final int MOST_LOOKED_AT = 64;

    private final Folder folder;

    Programs(Folder folder) {
        this.folder = folder;
    }

    /** Returns the program of a resource, unpacked: by whichever JVM comes first, once. */
    Path unpack(URL resource, String name, Duration patience) {
        try {
            String digest = digestOf(resource);
            Path home = folder.path().resolve(digest.substring(0, 32));
            Path program = home.resolve(name);
            if (Files.isRegularFile(program) && wanted(home).compareTo(Instant.now().minus(KEPT.dividedBy(2))) > 0) {
                return program; // it got its name when it was whole, and nobody removes it for a while
            }
            Folder.makeMine(home);
            try (Folder.Lock lock = folder.lock("unpack", patience)) {
                Folder.makeMine(home); // it may have been removed meanwhile
                if (!Files.isRegularFile(program)) {
                    write(resource, digest, home, program);
                    removeFormer(home);
                }
                Files.setLastModifiedTime(home, FileTime.from(Instant.now()));
            }
            return program;
        } catch (IOException e) {
            throw folder.unusable(e);
        }
    }

    /** Returns when a version was last wanted: its home's time says so. */
    private static Instant wanted(Path home) throws IOException {
        return Files.getLastModifiedTime(home, LinkOption.NOFOLLOW_LINKS).toInstant();
    }

    /** Removes what was unpacked of other versions and is used no more, under the lock. */
    private void removeFormer(Path mine) {
        try (DirectoryStream<Path> all = Files.newDirectoryStream(folder.path(), p -> HOME.matcher(p.getFileName().toString()).matches())) {
            Set<Path> run = null;
            int looked = 0;
            for (Path home : all) {
                if (home.equals(mine) || !Files.isDirectory(home, LinkOption.NOFOLLOW_LINKS)
                        || wanted(home).compareTo(Instant.now().minus(KEPT)) > 0) {
                    continue;
                }
                if (++looked > MOST_LOOKED_AT) {
                    return; // the rest is for whoever unpacks the next version
                }
                run = run == null ? running() : run;
                if (!run.contains(home.toRealPath())) {
                    remove(home);
                }
            }
        } catch (IOException | RuntimeException e) {
            log.debug("former versions of the program stay in {}", folder.path(), e);
        }
    }

    /** Returns the folders of the programs that run. Those of other users are not seen, and not here. */
    private static Set<Path> running() {
        return ProcessHandle.allProcesses().flatMap(p -> p.info().command().stream()).map(Programs::realParent).collect(Collectors.toSet());
    }

    private static Path realParent(String command) {
        Path program = Path.of(command).toAbsolutePath();
        try {
            return program.toRealPath().getParent();
        } catch (IOException e) {
            return program.getParent(); // it is not there any more
        }
    }

    private static void remove(Path home) {
        try {
            try (DirectoryStream<Path> files = Files.newDirectoryStream(home)) {
                for (Path file : files) {
                    Files.delete(file);
                }
            }
            Files.delete(home);
            log.debug("removed a former version of the program, {}", home);
        } catch (IOException e) {
            log.debug("a former version of the program stays", e);
        }
    }

    /** Returns the digest that stands beside a resource, or else that of its content. */
    private static String digestOf(URL resource) throws IOException {
        try (InputStream in = new URL(resource + ".sha256").openStream()) {
            String digest = new String(in.readNBytes(64), StandardCharsets.US_ASCII);
            HexFormat.of().parseHex(digest);
            if (digest.length() == 64) {
                return digest;
            }
        } catch (IOException | IllegalArgumentException e) {
            // there is none that can be read
        }
        try (InputStream in = resource.openStream(); OutputStream nowhere = OutputStream.nullOutputStream()) {
            return copy(in, nowhere);
        }
    }

    private static void write(URL resource, String digest, Path home, Path program) throws IOException {
        Path part = home.resolve(UUID.randomUUID() + ".part");
        try {
            String is;
            try (InputStream in = resource.openStream();
                    OutputStream out = Files.newOutputStream(part, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                is = copy(in, out);
            }
            if (!is.equals(digest)) {
                throw new ProgramMissingException("the program in " + resource + " is damaged: its digest is " + is + ", and should be " + digest, null);
            }
            if (Folder.posix(part)) {
                Files.setPosixFilePermissions(part, Folder.MINE);
            }
            Files.move(part, program, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(part);
        }
    }

    private static String copy(InputStream in, OutputStream out) throws IOException {
        try {
            MessageDigest sha = MessageDigest.getInstance("SHA-256");
            in.transferTo(new DigestOutputStream(out, sha));
            return HexFormat.of().formatHex(sha.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IOException(e);
        }
    }
}
