package io.github.praveenduddu.cachemesh.spring.cache;

import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;

import io.github.praveenduddu.cachemesh.spring.memory.InMemoryCacheMeshClient;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.springframework.cache.Cache.ValueWrapper;

import static org.assertj.core.api.Assertions.assertThat;

/** Caches of a mesh of one that can be gone. */
abstract class CacheFixture {

    final GoneClient client = new GoneClient(new InMemoryCacheMeshClient());

    CacheMeshCacheManager manager = manager(OnError.MISS);

    CacheMeshCache cache = cache("books");

    final AtomicInteger calls = new AtomicInteger();

    CacheMeshCacheManager manager(OnError onError) {
        CacheMeshCacheManager manager = new CacheMeshCacheManager(this.client, new KeyEncoding(List.of()),
                new JsonValues(List.of(getClass().getPackageName()), getClass().getClassLoader()));
        manager.setDefaults(new CacheMeshCacheSettings(null, null, "", onError, java.time.Duration.ofSeconds(10)));
        manager.afterPropertiesSet();
        return manager;
    }

    CacheMeshCache cache(String name) {
        this.manager.getCache(name);
        CacheMeshCache cache = this.manager.getMeshCache(name);
        assertThat(cache).isNotNull();
        return cache;
    }

    @AfterEach
    void close() {
        this.manager.destroy();
    }

    Callable<@Nullable String> loader(@Nullable String value) {
        return () -> {
            this.calls.incrementAndGet();
            return value;
        };
    }

    static @Nullable Object value(@Nullable ValueWrapper wrapper) {
        assertThat(wrapper).isNotNull();
        return wrapper.get();
    }
}
