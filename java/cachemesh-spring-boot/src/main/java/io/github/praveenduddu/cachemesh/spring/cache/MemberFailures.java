package io.github.praveenduddu.cachemesh.spring.cache;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;

import io.github.praveenduddu.cachemesh.client.CacheMeshException;
import io.github.praveenduddu.cachemesh.client.CacheMeshInterruptedException;
import io.github.praveenduddu.cachemesh.client.CacheMeshSerializationException;
import io.github.praveenduddu.cachemesh.client.CacheMeshTooLargeException;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;

/** What a cache makes of a member that does not do what it is asked: an exception, or a warning. Safe for concurrent use. */
final class MemberFailures {

    private static final Log logger = LogFactory.getLog(CacheMeshCache.class);

    private static final long MINUTE = 60_000_000_000L;

    private final String name;

    private final OnError onError;

    private final CacheCounts counts;

    private final OwedWrites owed;

    private final AtomicLong lastWarning = new AtomicLong();

    MemberFailures(String name, OnError onError, CacheCounts counts, OwedWrites owed) {
        this.name = name;
        this.onError = onError;
        this.counts = counts;
        this.owed = owed;
    }

    /** Returns if what a read met is a miss, and throws it if not. */
    void read(CacheMeshException ex) {
        this.counts.failed();
        rethrowIfWanted(ex);
        warnOfReads(ex);
    }

    /** Warns once a minute: what reads meet, many reads meet. */
    private void warnOfReads(CacheMeshException ex) {
        long now = System.nanoTime();
        long last = this.lastWarning.get();
        if ((last == 0 || now - last > MINUTE) && this.lastWarning.compareAndSet(last, now)) {
            logger.warn("Cache '" + this.name + "' cannot be read, so values are loaded (said once a minute): " + ex.getMessage());
        }
    }

    private void rethrowIfWanted(CacheMeshException ex) {
        if (this.onError == OnError.FAIL || ex instanceof CacheMeshSerializationException || ex instanceof CacheMeshInterruptedException) {
            throw ex;
        }
    }

    /** Writes a key, or all if it is null. */
    void guard(@Nullable Object key, String what, Runnable write) {
        try {
            write.run();
            this.owed.paid(key);
        }
        catch (CacheMeshException ex) {
            write(key, ex, what);
        }
    }

    /** Returns if a write that failed is owed, and throws what it met if not. */
    void write(@Nullable Object key, CacheMeshException ex, String what) {
        this.counts.failed();
        if (ex instanceof CacheMeshTooLargeException) {
            this.owed.paid(key);
        }
        rethrowIfWanted(ex);
        owe(key, ex, what);
    }

    /** The same of a write that nobody waits for: there is nobody to throw at. */
    CompletableFuture<Void> told(@Nullable Object key, @Nullable CacheMeshException ex, String what) {
        if (ex == null) {
            this.owed.paid(key);
        }
        else {
            this.counts.failed();
            owe(key, ex, what);
        }
        return CompletableFuture.completedFuture(null);
    }

    private void owe(@Nullable Object key, CacheMeshException ex, String what) {
        if (ex instanceof CacheMeshTooLargeException) { // the client has evicted the key
            logger.warn("Cache '%s': key '%s' could not be %s, and has no value now: %s".formatted(this.name, key, what, ex.getMessage()));
            return;
        }
        this.owed.add(key);
        logger.warn("Cache '%s': %s could not be %s, which is made up for when the member is back: %s".formatted(this.name,
                (key != null) ? "key '" + key + "'" : "the keys", what, ex.getMessage()));
    }
}
