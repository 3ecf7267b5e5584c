package io.github.praveenduddu.cachemesh.spring.memory;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.ReentrantLock;

import io.github.praveenduddu.cachemesh.client.CacheStats;
import org.jspecify.annotations.Nullable;

/** The values of a group, and the loads that run. Nothing is waited for under its lock. */
final class Store {

    private static final int MOST = 10_000;

    private static final Duration LONGEST = Duration.ofDays(36_500); // longer is for ever

    /** What has been stored; no bytes are null. */
    record Entry(byte @Nullable [] bytes, long ends) {
    }

    /** A load, and the thread that is busy with it, if one is; it is stored if it still is the one of its key. */
    record Flight(CompletableFuture<@Nullable Object> value, @Nullable Thread thread) {
    }

    /** What a get found: a value, or the load to wait for, which is the caller's own if it was just begun. */
    record Found(@Nullable Entry entry, @Nullable Flight flight, boolean own) {
    }

    private final ReentrantLock lock = new ReentrantLock();

    /** Guarded by lock, as all that follows. */
    private final LinkedHashMap<ByteBuffer, Entry> entries = new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<ByteBuffer, Entry> eldest) {
            boolean full = size() > MOST;
            if (full) {
                count("evictions");
            }
            return full;
        }
    };

    private final Map<ByteBuffer, Flight> flights = new HashMap<>();

    private final Map<String, Long> counters = new HashMap<>();

    private void count(String name) {
        this.counters.merge(name, 1L, Long::sum);
    }

    private @Nullable Entry live(ByteBuffer key) {
        Entry entry = this.entries.get(key);
        if (entry != null && entry.ends() != Long.MAX_VALUE && System.nanoTime() - entry.ends() >= 0) {
            this.entries.remove(key);
            count("expired");
            return null;
        }
        return entry;
    }

    @Nullable
    Entry get(ByteBuffer key) {
        this.lock.lock();
        try {
            Entry entry = live(key);
            count("gets");
            if (entry != null) {
                count("ownHits");
            }
            return entry;
        }
        finally {
            this.lock.unlock();
        }
    }

    Found getOrBegin(ByteBuffer key, @Nullable Thread loader) {
        this.lock.lock();
        try {
            Entry entry = get(key);
            if (entry != null) {
                return new Found(entry, null, false);
            }
            Flight there = this.flights.get(key);
            if (there != null) {
                return new Found(null, there, false);
            }
            Flight flight = new Flight(new CompletableFuture<>(), loader);
            this.flights.put(key, flight);
            count("claimsWon");
            return new Found(null, flight, true);
        }
        finally {
            this.lock.unlock();
        }
    }

    /** Ends a load, and stores its bytes unless the key was written meanwhile, or there are none to store. */
    void end(ByteBuffer key, Flight flight, boolean store, byte @Nullable [] bytes, @Nullable Duration ttl) {
        this.lock.lock();
        try {
            boolean current = this.flights.remove(key, flight);
            if (current && store) {
                install(key, bytes, ttl);
                count("claimsFilled");
            }
            else if (!current) {
                count("claimsVoid");
            }
        }
        finally {
            this.lock.unlock();
        }
    }

    private void install(ByteBuffer key, byte @Nullable [] bytes, @Nullable Duration ttl) {
        if (ttl != null && ttl.isZero()) {
            this.entries.remove(key);
            return;
        }
        long ends = (ttl != null && ttl.compareTo(LONGEST) < 0) ? System.nanoTime() + ttl.toNanos() : Long.MAX_VALUE;
        this.entries.put(key, new Entry(bytes, ends));
    }

    void set(ByteBuffer key, byte @Nullable [] bytes, @Nullable Duration ttl) {
        this.lock.lock();
        try {
            this.flights.remove(key);
            install(key, bytes, ttl);
            count("sets");
        }
        finally {
            this.lock.unlock();
        }
    }

    @Nullable
    Entry putIfAbsent(ByteBuffer key, byte @Nullable [] bytes, @Nullable Duration ttl) {
        this.lock.lock();
        try {
            Entry there = live(key);
            if (there == null) {
                set(key, bytes, ttl);
            }
            return there;
        }
        finally {
            this.lock.unlock();
        }
    }

    boolean delete(ByteBuffer key) {
        this.lock.lock();
        try {
            this.flights.remove(key);
            boolean there = live(key) != null;
            this.entries.remove(key);
            count("deletes");
            return there;
        }
        finally {
            this.lock.unlock();
        }
    }

    /** Forgets all keys that begin with a prefix, and returns whether there were any. */
    boolean clear(byte[] prefix) {
        this.lock.lock();
        try {
            this.flights.keySet().removeIf((key) -> begins(key, prefix));
            return this.entries.keySet().removeIf((key) -> begins(key, prefix));
        }
        finally {
            this.lock.unlock();
        }
    }

    private static boolean begins(ByteBuffer key, byte[] prefix) {
        return key.remaining() >= prefix.length && key.slice(0, prefix.length).equals(ByteBuffer.wrap(prefix));
    }

    CacheStats stats() {
        this.lock.lock();
        try {
            Map<String, Long> all = new HashMap<>(this.counters);
            all.put("entries", (long) this.entries.size());
            all.put("bytes", this.entries.values().stream().mapToLong((e) -> (e.bytes() != null) ? e.bytes().length : 0).sum());
            return new CacheStats(all);
        }
        finally {
            this.lock.unlock();
        }
    }
}
