package io.github.praveenduddu.cachemesh.bench;

import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * What the caches stand before: a version for each key, in memory that all JVMs map, and beside it the newest version
 * whose eviction has returned. What is older than that is stale.
 */
final class Origin {

    static final int KEYS = 1000;

    private static final VarHandle LONG = MethodHandles.byteBufferViewVarHandle(long[].class, ByteOrder.nativeOrder());

    private final ByteBuffer memory;

    Origin(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            this.memory = channel.map(FileChannel.MapMode.READ_WRITE, 0, 2L * KEYS * Long.BYTES);
        }
    }

    long read(int key) {
        return (long) LONG.getVolatile(this.memory, key * Long.BYTES);
    }

    long change(int key) {
        return (long) LONG.getAndAdd(this.memory, key * Long.BYTES, 1L) + 1;
    }

    /** Says that whatever is older than a version is evicted. */
    void evicted(int key, long version) {
        int at = (KEYS + key) * Long.BYTES;
        for (long now = (long) LONG.getVolatile(this.memory, at); now < version; now = (long) LONG.getVolatile(this.memory, at)) {
            if (LONG.compareAndSet(this.memory, at, now, version)) {
                return;
            }
        }
    }

    /** Returns the oldest version that is not stale. */
    long floor(int key) {
        return (long) LONG.getVolatile(this.memory, (KEYS + key) * Long.BYTES);
    }
}
