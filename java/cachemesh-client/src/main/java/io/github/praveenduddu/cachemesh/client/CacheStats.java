package io.github.praveenduddu.cachemesh.client;

import java.util.Map;

/**
 * What one member counted for one cache since it began. The methods name what most want to see; {@code counters} has
 * all, by the names that the member uses.
 *
 * @param counters all that was counted, unmodifiable
 */
public record CacheStats(Map<String, Long> counters) {

    public CacheStats {
        counters = Map.copyOf(counters);
    }

    /** Keys that were asked for. */
    public long gets() {
        return of("gets");
    }

    /** Of these, answered from the member's own part of the keys. */
    public long ownHits() {
        return of("ownHits");
    }

    /** Of these, answered from a copy of a key that another member owns. */
    public long copyHits() {
        return of("hotHits");
    }

    /** Of these, answered from another member's memory. */
    public long peerHits() {
        return of("peerHits");
    }

    public long hits() {
        return ownHits() + copyHits() + peerHits();
    }

    public long misses() {
        return Math.max(0, gets() - hits());
    }

    public long sets() {
        return of("sets");
    }

    public long deletes() {
        return of("deletes");
    }

    public long evictions() {
        return of("evictions");
    }

    public long expired() {
        return of("expired");
    }

    /** Loads that were begun by right of the member's keys. */
    public long claimsWon() {
        return of("claimsWon");
    }

    /** Of these, those whose value was kept. */
    public long claimsFilled() {
        return of("claimsFilled");
    }

    /** Of these, those before whose end the key was written: nothing was kept. */
    public long claimsVoid() {
        return of("claimsVoid");
    }

    /** Of these, those whose holder was gone or took too long. */
    public long claimsLost() {
        return of("claimsLost");
    }

    public long staleServed() {
        return of("staleServed");
    }

    /** Entries in the member's memory now. */
    public long entries() {
        return of("entries");
    }

    /** What they take, in bytes. */
    public long bytes() {
        return of("bytes");
    }

    public long maxBytes() {
        return of("maxBytes");
    }

    private long of(String name) {
        return counters.getOrDefault(name, 0L);
    }
}
