package io.github.praveenduddu.cachemesh.spring.cache;

import java.util.concurrent.CompletableFuture;

import io.github.praveenduddu.cachemesh.client.CacheMeshException;
import io.github.praveenduddu.cachemesh.client.CacheMeshInterruptedException;
import io.github.praveenduddu.cachemesh.client.CacheMeshNoSuchCacheException;
import io.github.praveenduddu.cachemesh.client.CacheMeshSerializationException;
import io.github.praveenduddu.cachemesh.client.CacheMeshTooLargeException;
import org.jspecify.annotations.Nullable;

/** What a cache makes of a member that does not do what it is asked: an exception, or a warning. Safe for concurrent use. */
final class MemberFailures {

    private final String name;

    private final OnError onError;

    private final CacheCounts counts;

    private final OwedWrites owed;

    private final RareWarnings ofReads = new RareWarnings();

    private final RareWarnings ofWrites = new RareWarnings();

    private final RareWarnings ofSizes = new RareWarnings();

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
        this.ofReads.add(() -> "Cache '" + this.name + "' cannot be read, so values are loaded: " + ex.getMessage(), null);
    }

    private void rethrowIfWanted(CacheMeshException ex) {
        if (this.onError == OnError.FAIL || ex instanceof CacheMeshSerializationException || ex instanceof CacheMeshInterruptedException) {
            throw ex;
        }
    }

    /** Writes a key, or all if it is null. */
    void guard(@Nullable EncodedKey key, String what, Runnable write) {
        long mark = this.owed.mark();
        try {
            write.run();
            this.owed.paid(key, mark);
        }
        catch (CacheMeshException ex) {
            write(key, mark, ex, what);
        }
    }

    /** Returns if a write that failed is owed, and throws what it met if not. The mark is from before the write. */
    void write(@Nullable EncodedKey key, long mark, CacheMeshException ex, String what) {
        this.counts.failed();
        if (ex instanceof CacheMeshTooLargeException) {
            this.owed.paid(key, mark);
        }
        if (ex instanceof CacheMeshInterruptedException && this.onError == OnError.MISS) {
            this.owed.add(key); // though it is thrown: nobody knows whether the write has arrived
        }
        rethrowIfWanted(ex);
        owe(key, ex, what);
    }

    /** The same of a write that nobody waits for: there is nobody to throw at. */
    CompletableFuture<Void> told(@Nullable EncodedKey key, long mark, @Nullable CacheMeshException ex, String what) {
        if (ex == null) {
            this.owed.paid(key, mark);
        }
        else {
            this.counts.failed();
            owe(key, ex, what);
        }
        return CompletableFuture.completedFuture(null);
    }

    private void owe(@Nullable EncodedKey key, CacheMeshException ex, String what) {
        String subject = (key != null) ? "key '" + key + "'" : "the keys";
        if (ex instanceof CacheMeshTooLargeException) { // the client has evicted the key
            this.ofSizes.add(() -> "Cache '%s': %s could not be %s, and has no value now: %s".formatted(this.name, subject, what, ex.getMessage()), null);
            return;
        }
        if (ex instanceof CacheMeshNoSuchCacheException) { // there may never be one: nothing would end what is owed
            this.ofWrites.add(() -> "Cache '%s': %s could not be %s: %s".formatted(this.name, subject, what, ex.getMessage()), null);
            return;
        }
        this.owed.add(key);
        this.ofWrites.add(() -> "Cache '%s': %s could not be %s, which is made up for when the member is back: %s".formatted(this.name,
                subject, what, ex.getMessage()), null);
    }
}
