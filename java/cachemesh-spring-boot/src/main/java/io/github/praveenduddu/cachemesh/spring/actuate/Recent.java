package io.github.praveenduddu.cachemesh.spring.actuate;

import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;

import org.jspecify.annotations.Nullable;

/**
 * What was asked of the member within the last second, so that a scrape of many meters asks once. While the member does
 * not answer, the last answer stays: counters do not go back. Safe for concurrent use.
 */
final class Recent<T> {

    private static final long KEPT = 1_000_000_000L;

    private final Supplier<T> source;

    private final ReentrantLock lock = new ReentrantLock();

    /** Guarded by lock, like when it was asked. */
    private @Nullable T last;

    private long asked;

    private boolean ever;

    Recent(Supplier<T> source) {
        this.source = source;
    }

    double get(ToLongFunction<T> of) {
        T value = value();
        return (value != null) ? of.applyAsLong(value) : Double.NaN;
    }

    @Nullable
    T value() {
        this.lock.lock();
        try {
            long now = System.nanoTime();
            if (!this.ever || now - this.asked > KEPT) {
                this.ever = true;
                try {
                    this.last = this.source.get();
                }
                catch (RuntimeException ex) {
                    // the health of the member says so
                }
                this.asked = System.nanoTime();
            }
            return this.last;
        }
        finally {
            this.lock.unlock();
        }
    }
}
