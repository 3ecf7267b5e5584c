package io.github.praveenduddu.cachemesh.spring.cache;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;

import io.github.praveenduddu.cachemesh.client.CacheMeshException;
import io.github.praveenduddu.cachemesh.client.CacheMeshNoSuchCacheException;
import io.github.praveenduddu.cachemesh.client.KeyEncoder;
import io.github.praveenduddu.cachemesh.client.MeshCache;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;

/**
 * The keys of a cache that were changed while the member was gone: others may still see what was there before, and
 * so would this instance. They are evicted when the member is back. Of more than {@link #MOST} the whole cache is
 * cleared. A thread of its own, which ends with the last of them, tries again and again. Safe for concurrent use.
 */
final class OwedWrites {

    static final int MOST = 10_000;

    private static final long FIRST_PAUSE_MS = 50;

    private static final long LAST_PAUSE_MS = 1000;

    private static final Log logger = LogFactory.getLog(CacheMeshCache.class);

    private final String name;

    private final MeshCache<Object, Object> mesh;

    private final KeyEncoder<Object> encoder;

    private final ThreadFactory threads;

    private final RareWarnings warnings = new RareWarnings();

    /** Each write that is owed has a number of its own, which tells it from an earlier one of its key. */
    private final AtomicLong last = new AtomicLong();

    /** Keys, each with the last write that is owed. */
    private final Map<EncodedKey, Long> keys = new ConcurrentHashMap<>();

    /** The last write of all keys that is owed; 0: none is. */
    private final AtomicLong all = new AtomicLong();

    private final AtomicReference<@Nullable Thread> payer = new AtomicReference<>();

    private volatile boolean closed;

    OwedWrites(String name, MeshCache<Object, Object> mesh, KeyEncoder<Object> encoder) {
        this(name, mesh, encoder, (task) -> new Thread(task, "cachemesh-owed-" + name));
    }

    OwedWrites(String name, MeshCache<Object, Object> mesh, KeyEncoder<Object> encoder, ThreadFactory threads) {
        this.name = name;
        this.mesh = mesh;
        this.encoder = encoder;
        this.threads = threads;
    }

    private boolean any() {
        return this.all.get() != 0 || !this.keys.isEmpty();
    }

    boolean has(Object key) {
        if (!any()) {
            return false;
        }
        beginToPay(); // there may have been no thread to be had
        return this.all.get() != 0 || this.keys.containsKey(EncodedKey.of(this.encoder, key));
    }

    /** Adds a key, or all if it is null. */
    void add(@Nullable EncodedKey key) {
        long number = this.last.incrementAndGet();
        if (key == null || this.keys.size() >= MOST) {
            this.all.accumulateAndGet(number, Math::max);
        }
        else {
            this.keys.merge(key, number, Math::max);
        }
        beginToPay();
    }

    private void beginToPay() {
        if (this.closed || this.payer.get() != null) {
            return;
        }
        Thread thread = this.threads.newThread(this::pay);
        thread.setDaemon(true);
        if (!this.payer.compareAndSet(null, thread)) {
            return;
        }
        try {
            thread.start();
        }
        catch (RuntimeException | Error ex) { // the process may have no more threads
            this.payer.set(null);
            warn(ex);
        }
    }

    private void warn(Throwable ex) {
        this.warnings.add(() -> "Cache '" + this.name + "': what could not be changed while the member was gone cannot be evicted yet", ex);
    }

    private void pay() {
        try {
            long pause = FIRST_PAUSE_MS;
            do {
                Thread.sleep(pause);
                pause = Math.min(2 * pause, LAST_PAUSE_MS);
            }
            while (!settle() && !this.closed);
        }
        catch (InterruptedException ex) {
            // closed
        }
        finally {
            this.payer.set(null);
        }
        if (any()) {
            beginToPay(); // something came after the last look
        }
    }

    void close() {
        this.closed = true;
        Thread thread = this.payer.get();
        if (thread != null) {
            thread.interrupt();
        }
    }

    /** Returns what {@link #paid} is told of a write that begins now. */
    long mark() {
        return this.last.get();
    }

    /** Says that a write of a key, or of all, has arrived, which pays for what was owed when it began. */
    void paid(@Nullable EncodedKey key, long mark) {
        if (key != null) {
            this.keys.computeIfPresent(key, (k, number) -> (number > mark) ? number : null);
        }
        else {
            this.all.updateAndGet((number) -> (number > mark) ? number : 0);
            this.keys.values().removeIf((number) -> number <= mark);
        }
    }

    /** Evicts what is owed, and returns whether that is done with. What is added meanwhile stays. */
    boolean settle() {
        long clear = this.all.get();
        Map<EncodedKey, Long> due = Map.copyOf(this.keys);
        if (clear == 0 && due.isEmpty()) {
            return true;
        }
        try {
            evict(clear, due);
            logger.info("Cache '%s': %s evicted, as could not be done while the member was gone".formatted(this.name,
                    (clear != 0) ? "all keys are" : due.size() + " keys are"));
            return true;
        }
        catch (CacheMeshNoSuchCacheException ex) { // trying again would not help: while it runs, it makes no more groups
            due.forEach(this.keys::remove);
            this.all.compareAndSet(clear, 0);
            logger.warn("Cache '%s': what could not be changed while the member was gone stays as it is: %s".formatted(this.name, ex.getMessage()));
            return true;
        }
        catch (CacheMeshException ex) {
            return false;
        }
        catch (RuntimeException | Error ex) { // of what the application brings, say; the thread must not end with it
            warn(ex);
            return false;
        }
    }

    private void evict(long clear, Map<EncodedKey, Long> due) {
        if (clear != 0) {
            this.mesh.clear();
        }
        due.forEach((key, number) -> {
            if (clear == 0) {
                this.mesh.delete(key);
            }
            this.keys.remove(key, number);
        });
        this.all.compareAndSet(clear, 0);
    }
}
