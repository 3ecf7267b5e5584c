package io.github.praveenduddu.cachemesh.client;

import java.nio.charset.StandardCharsets;

/**
 * Turns values into bytes and back. It is called by several threads at once. It is never given null, and what it
 * throws reaches the caller as the cause of a {@link CacheMeshSerializationException}.
 *
 * @param <V> the values
 */
public interface Serializer<V> {

    /** Returns the bytes of a value, which are not changed any more. */
    byte[] serialize(V value) throws Exception;

    /** Returns the value of bytes, which are the callee's own. */
    V deserialize(byte[] bytes) throws Exception;

    /** Text as UTF-8: what other clients of the mesh read as it is. */
    static Serializer<String> utf8() {
        return new Serializer<>() {
            @Override
            public byte[] serialize(String value) {
                return value.getBytes(StandardCharsets.UTF_8);
            }

            @Override
            public String deserialize(byte[] bytes) {
                return new String(bytes, StandardCharsets.UTF_8);
            }
        };
    }

    /** Bytes as they are. */
    static Serializer<byte[]> bytes() {
        return new Serializer<>() {
            @Override
            public byte[] serialize(byte[] value) {
                return value;
            }

            @Override
            public byte[] deserialize(byte[] bytes) {
                return bytes;
            }
        };
    }
}
