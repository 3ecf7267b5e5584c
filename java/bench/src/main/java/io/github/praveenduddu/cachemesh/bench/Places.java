package io.github.praveenduddu.cachemesh.bench;

import java.util.Arrays;

import io.github.praveenduddu.cachemesh.client.CacheStats;
import io.github.praveenduddu.cachemesh.spring.cache.CacheMeshCacheManager;

/** Times reads apart by where the mesh had the value: what the member counts before and after each tells. */
final class Places {

    private final long[][] times = new long[3][];

    private final int[] counts = new int[3];

    /** Reads all keys, so many times over, alone, and returns count, p50 and p99 in ns for own, copy and elsewhere. */
    static String measure(Service service, CacheMeshCacheManager caches, int rounds) {
        var cache = java.util.Objects.requireNonNull(caches.getMeshCache("versions"));
        Places places = new Places();
        Arrays.setAll(places.times, (i) -> new long[rounds * Origin.KEYS]);
        CacheStats before = cache.getMemberStats();
        for (int n = 0; n < rounds * Origin.KEYS; n++) {
            long begin = System.nanoTime();
            service.version(n % Origin.KEYS);
            long took = System.nanoTime() - begin;
            CacheStats after = cache.getMemberStats();
            places.add(0, after.ownHits() - before.ownHits(), took);
            places.add(1, after.copyHits() - before.copyHits(), took);
            places.add(2, after.peerHits() - before.peerHits(), took);
            before = after;
        }
        service.takeCalls();
        return places.text();
    }

    private void add(int place, long hits, long took) {
        if (hits == 1) {
            this.times[place][this.counts[place]++] = took;
        }
    }

    private String text() {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < this.times.length; i++) {
            long[] sorted = Arrays.copyOf(this.times[i], this.counts[i]);
            Arrays.sort(sorted);
            text.append(sorted.length).append(' ').append(at(sorted, 0.5)).append(' ').append(at(sorted, 0.99)).append(' ');
        }
        return text.toString().trim();
    }

    private static long at(long[] sorted, double quantile) {
        return (sorted.length > 0) ? sorted[(int) (sorted.length * quantile)] : 0;
    }
}
