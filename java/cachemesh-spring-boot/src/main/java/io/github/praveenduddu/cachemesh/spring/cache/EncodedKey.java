package io.github.praveenduddu.cachemesh.spring.cache;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Objects;

import io.github.praveenduddu.cachemesh.client.KeyEncoder;

/**
 * A key as it is in the mesh, where an int and a long of one value are one key. It stays so if what it was made of is
 * changed. A cache takes it for that key.
 */
record EncodedKey(ByteBuffer bytes) {

    static EncodedKey of(KeyEncoder<Object> keys, Object key) {
        return new EncodedKey(ByteBuffer.wrap(keys.encode(Objects.requireNonNull(key, "key"))));
    }

    /** Returns an encoder that knows these keys, too. */
    static KeyEncoder<Object> known(KeyEncoder<Object> keys) {
        return (key) -> (key instanceof EncodedKey encoded) ? encoded.bytes.array() : keys.encode(key);
    }

    @Override
    public String toString() {
        return new String(this.bytes.array(), StandardCharsets.UTF_8);
    }
}
