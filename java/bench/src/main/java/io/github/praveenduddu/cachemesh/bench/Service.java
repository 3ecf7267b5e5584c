package io.github.praveenduddu.cachemesh.bench;

import java.util.concurrent.atomic.LongAdder;

import org.springframework.cache.annotation.CacheEvict;
import org.springframework.cache.annotation.Cacheable;

/** What every application writes, whatever the cache. */
class Service {

    private final Origin origin;

    private final LongAdder calls = new LongAdder();

    private final long slowMillis;

    Service(Origin origin, long slowMillis) {
        this.origin = origin;
        this.slowMillis = slowMillis;
    }

    @Cacheable(cacheNames = "versions", key = "#key", sync = true)
    public Long version(int key) {
        this.calls.increment();
        return this.origin.read(key);
    }

    @CacheEvict(cacheNames = "versions", key = "#key")
    public long change(int key) {
        return this.origin.change(key);
    }

    @Cacheable(cacheNames = "slow", key = "#key", sync = true)
    public String slow(String key) throws InterruptedException {
        this.calls.increment();
        Thread.sleep(this.slowMillis);
        return "value of " + key;
    }

    public long takeCalls() {
        return this.calls.sumThenReset();
    }
}
