package io.github.praveenduddu.cachemesh.spring.cache;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;

import io.github.praveenduddu.cachemesh.client.CacheMeshException;
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

    /** Keys, each with the last write that is owed. */
    private final Map<Object, Object> keys = new ConcurrentHashMap<>();

    /** What is owed if all keys are; null: they are not. */
    private volatile @Nullable Object all;

    private final AtomicReference<@Nullable Thread> payer = new AtomicReference<>();

    private volatile boolean closed;

    OwedWrites(String name, MeshCache<Object, Object> mesh) {
        this.name = name;
        this.mesh = mesh;
    }

    boolean has(Object key) {
        return this.all != null || (!this.keys.isEmpty() && this.keys.containsKey(key));
    }

    /** Adds a key, or all if it is null. */
    void add(@Nullable Object key) {
        if (key == null || this.keys.size() >= MOST) {
            this.all = new Object();
        }
        else {
            this.keys.put(key, new Object());
        }
        beginToPay();
    }

    private void beginToPay() {
        Thread thread = new Thread(this::pay, "cachemesh-owed-" + this.name);
        thread.setDaemon(true);
        if (!this.closed && this.payer.compareAndSet(null, thread)) {
            thread.start();
        }
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
        if (this.all != null || !this.keys.isEmpty()) {
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

    /** Says that a later write of a key, or of all, has arrived. */
    void paid(@Nullable Object key) {
        if (key != null) {
            this.keys.remove(key);
        }
        else {
            this.all = null;
            this.keys.clear();
        }
    }

    /** Evicts what is owed, and returns whether that was possible. What is added meanwhile stays. */
    boolean settle() {
        Object clear = this.all;
        List<Map.Entry<Object, Object>> entries = List.copyOf(this.keys.entrySet());
        if (clear == null && entries.isEmpty()) {
            return true;
        }
        try {
            if (clear != null) {
                this.mesh.clear();
            }
            for (Map.Entry<Object, Object> entry : entries) {
                if (clear == null) {
                    this.mesh.delete(entry.getKey());
                }
                this.keys.remove(entry.getKey(), entry.getValue());
            }
            if (clear == this.all) {
                this.all = null;
            }
            logger.info("Cache '%s': %s evicted, as could not be done while the member was gone".formatted(this.name,
                    (clear != null) ? "all keys are" : entries.size() + " keys are"));
            return true;
        }
        catch (CacheMeshException ex) {
            return false;
        }
        catch (RuntimeException ex) { // of the application's encoder of keys, say; the thread must not end with it
            logger.warn("Cache '" + this.name + "': what could not be changed while the member was gone cannot be evicted yet", ex);
            return false;
        }
    }
}
