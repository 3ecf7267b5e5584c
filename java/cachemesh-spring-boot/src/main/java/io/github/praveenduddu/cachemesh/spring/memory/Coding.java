package io.github.praveenduddu.cachemesh.spring.memory;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

import io.github.praveenduddu.cachemesh.client.CacheEntry;
import io.github.praveenduddu.cachemesh.client.CacheMeshSerializationException;
import io.github.praveenduddu.cachemesh.client.CacheOptions;
import io.github.praveenduddu.cachemesh.client.KeyEncoder;
import io.github.praveenduddu.cachemesh.client.Serializer;
import org.jspecify.annotations.Nullable;

/** How the keys and values of a cache stand in its store, and for how long. */
record Coding<K, V>(InMemoryCacheMeshClient client, String name, KeyEncoder<? super K> keys, Serializer<V> values, CacheOptions options) {

    ByteBuffer encode(K key) {
        this.client.check();
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        all.writeBytes(this.options.keyPrefix().getBytes(StandardCharsets.UTF_8));
        all.writeBytes(this.keys.encode(key));
        if (all.size() < 1 || all.size() > 4096) {
            throw new IllegalArgumentException("A key has 1 to 4096 bytes, and this one " + all.size() + ".");
        }
        return ByteBuffer.wrap(all.toByteArray());
    }

    byte @Nullable [] write(@Nullable V value) {
        if (value == null) {
            if (!this.options.nullValues()) {
                throw new NullPointerException("The cache " + this.name + " has no null values.");
            }
            return null;
        }
        try {
            return this.values.serialize(value);
        }
        catch (Exception ex) {
            throw new CacheMeshSerializationException("A value of the cache " + this.name + " cannot be written: " + ex.getMessage(), ex);
        }
    }

    @Nullable
    V read(byte @Nullable [] bytes) {
        try {
            return (bytes != null) ? this.values.deserialize(bytes.clone()) : null;
        }
        catch (Exception ex) {
            throw new CacheMeshSerializationException("A value of the cache " + this.name + " cannot be read: " + ex.getMessage(), ex);
        }
    }

    @Nullable
    CacheEntry<V> entry(Store.@Nullable Entry entry) {
        return (entry != null) ? new CacheEntry<>(read(entry.bytes())) : null;
    }

    @Nullable
    Duration ttl(@Nullable Duration own, byte @Nullable [] bytes) {
        if (own != null) {
            return own;
        }
        return (bytes == null && this.options.notFoundTtl() != null) ? this.options.notFoundTtl() : this.options.ttl();
    }
}
