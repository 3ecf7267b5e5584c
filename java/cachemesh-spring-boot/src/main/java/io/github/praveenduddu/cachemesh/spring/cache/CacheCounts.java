package io.github.praveenduddu.cachemesh.spring.cache;

import java.util.concurrent.atomic.LongAdder;

/** What an instance counted for a cache since it began. Safe for concurrent use. */
public final class CacheCounts {

    private final LongAdder hits = new LongAdder();

    private final LongAdder misses = new LongAdder();

    private final LongAdder puts = new LongAdder();

    private final LongAdder removals = new LongAdder();

    private final LongAdder loads = new LongAdder();

    private final LongAdder loadFailures = new LongAdder();

    private final LongAdder failures = new LongAdder();

    CacheCounts() {
    }

    void got(boolean hit) {
        (hit ? this.hits : this.misses).increment();
    }

    void put() {
        this.puts.increment();
    }

    void removed() {
        this.removals.increment();
    }

    void loaded(boolean good) {
        this.loads.increment();
        if (!good) {
            this.loadFailures.increment();
        }
    }

    void failed() {
        this.failures.increment();
    }

    /**
     * Returns how many gets had a value without loading it here.
     *
     * @return their number
     */
    public long hits() {
        return this.hits.sum();
    }

    /**
     * Returns how many gets had no value, or loaded it here.
     *
     * @return their number
     */
    public long misses() {
        return this.misses.sum();
    }

    /**
     * Returns how many puts there were, those of loads not included.
     *
     * @return their number
     */
    public long puts() {
        return this.puts.sum();
    }

    /**
     * Returns how many evictions of keys there were.
     *
     * @return their number
     */
    public long removals() {
        return this.removals.sum();
    }

    /**
     * Returns how many loads this instance ran.
     *
     * @return their number
     */
    public long loads() {
        return this.loads.sum();
    }

    /**
     * Returns how many of these failed.
     *
     * @return their number
     */
    public long loadFailures() {
        return this.loadFailures.sum();
    }

    /**
     * Returns how many operations failed since the member could not be reached, or could not do them.
     *
     * @return their number
     */
    public long failures() {
        return this.failures.sum();
    }
}
