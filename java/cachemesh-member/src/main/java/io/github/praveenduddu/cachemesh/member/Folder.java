package io.github.praveenduddu.cachemesh.member;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** This user's folder for what JVMs share: the program, unpacked, and who is a member on this machine. */
final class Folder {

    static final Set<PosixFilePermission> MINE = PosixFilePermissions.fromString("rwx------");
    private static final long LOOK_NANOS = 10_000_000; // how often a lock is tried

    private final Path path;

    private Folder(Path path) {
        this.path = path;
    }

    /** Opens the folder, and makes it if it is not there. It must be this user's alone. */
    static Folder open(@Nullable Path wanted) {
        Path path = (wanted != null ? wanted : Path.of(System.getProperty("java.io.tmpdir"), "cachemesh-" + System.getProperty("user.name")))
                .toAbsolutePath();
        try {
            if (!Files.isDirectory(path)) {
                if (path.getParent() != null) {
                    Files.createDirectories(path.getParent());
                }
                makeMine(path);
            }
            checkMine(path, wanted != null);
        } catch (IOException e) {
            throw unusable(path, e);
        }
        return new Folder(path);
    }

    FolderException unusable(IOException e) {
        return unusable(path, e);
    }

    private static FolderException unusable(Path path, IOException e) {
        return new FolderException("the folder " + path + " for the program cannot be used: " + e
                + "; set the member's folder to one that this user can write", e);
    }

    static void makeMine(Path path) throws IOException {
        try {
            if (posix(path)) {
                Files.createDirectory(path, PosixFilePermissions.asFileAttribute(MINE));
            } else {
                Files.createDirectory(path);
            }
        } catch (java.nio.file.FileAlreadyExistsException e) {
            if (!Files.isDirectory(path)) {
                throw e; // else another JVM was quicker
            }
        }
    }

    private static void checkMine(Path path, boolean chosen) throws IOException {
        if (!posix(path)) {
            return;
        }
        PosixFileAttributes is = chosen ? Files.readAttributes(path, PosixFileAttributes.class)
                : Files.readAttributes(path, PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
        Set<PosixFilePermission> others = is.permissions();
        if (!is.isDirectory() || others.contains(PosixFilePermission.GROUP_WRITE) || others.contains(PosixFilePermission.OTHERS_WRITE)
                || !is.owner().getName().equals(System.getProperty("user.name")) && !is.owner().getName().equals(ownerOfNew(path))) {
            throw new FolderException("the folder " + path + " is not this user's alone, but of " + is.owner().getName() + " with "
                    + PosixFilePermissions.toString(others) + ": others could put a program there; remove it, or set the member's folder to another", null);
        }
    }

    /** Returns whom the system says that this user is, where it has no name for its number. */
    private static String ownerOfNew(Path path) throws IOException {
        Path probe = Files.createTempFile(path, "owner", null);
        try {
            return Files.getOwner(probe).getName();
        } finally {
            Files.delete(probe);
        }
    }

    static boolean posix(Path path) {
        return path.getFileSystem().supportedFileAttributeViews().contains("posix");
    }

    Path path() {
        return path;
    }

    /** Writes a file for this user alone, with a name of its own. */
    Path writeOwn(String suffix, String content) {
        try {
            Path file = path.resolve(UUID.randomUUID() + suffix);
            if (posix(path)) {
                Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            } else {
                Files.createFile(file);
            }
            return Files.writeString(file, content);
        } catch (IOException e) {
            throw unusable(e);
        }
    }

    /** A lock among all JVMs that use the folder. */
    static final class Lock implements AutoCloseable {

        private final FileChannel file;

        private Lock(FileChannel file) {
            this.file = file;
        }

        @Override
        public void close() throws IOException {
            file.close();
        }
    }

    /** Takes a lock, or fails when another has it for longer than its patience. */
    Lock lock(String name, Duration patience) throws IOException {
        FileChannel file = FileChannel.open(path.resolve(name + ".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        try {
            for (long end = System.nanoTime() + patience.toNanos(); System.nanoTime() - end < 0; LockSupport.parkNanos(LOOK_NANOS)) {
                try {
                    FileLock got = file.tryLock();
                    if (got != null) {
                        return new Lock(file);
                    }
                } catch (OverlappingFileLockException e) {
                    // another thread of this JVM has it
                }
                if (Thread.currentThread().isInterrupted()) {
                    throw new IOException("interrupted while another process has the lock " + name);
                }
            }
            throw new IOException("another process has had the lock " + name + " for " + patience);
        } catch (IOException | RuntimeException e) {
            file.close();
            throw e;
        }
    }

    /** Takes the lock for members that begin; null if another has it for too long. */
    @Nullable Lock lockMembers(String mesh, Duration patience) {
        try {
            return lock("mesh-" + mesh, patience);
        } catch (IOException e) {
            return null;
        }
    }

    /** Returns where members of a mesh listen that run on this machine, and forgets those that do not run. */
    List<String> members(String mesh) {
        List<String> found = new ArrayList<>();
        Path home = path.resolve("mesh-" + mesh);
        if (!Files.isDirectory(home)) {
            return found;
        }
        try (DirectoryStream<Path> files = Files.newDirectoryStream(home)) {
            for (Path file : files) {
                boolean runs = ProcessHandle.of(Long.parseLong(file.getFileName().toString())).map(ProcessHandle::isAlive).orElse(false);
                String address = Files.readString(file);
                if (runs && !address.isEmpty()) {
                    found.add(address);
                } else if (!runs) {
                    Files.deleteIfExists(file);
                }
            }
        } catch (IOException | NumberFormatException e) {
            // what cannot be read is no member
        }
        return found;
    }

    /** Notes where a member listens. */
    void note(String mesh, long pid, String address) {
        try {
            Path home = path.resolve("mesh-" + mesh);
            makeMine(home);
            Files.writeString(home.resolve(String.valueOf(pid)), address);
        } catch (IOException e) {
            throw unusable(path, e);
        }
    }

    void forget(String mesh, long pid) {
        try {
            Files.deleteIfExists(path.resolve("mesh-" + mesh).resolve(String.valueOf(pid)));
        } catch (IOException e) {
            // the next who looks sees that it does not run
        }
    }
}
