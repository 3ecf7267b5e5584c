package io.github.praveenduddu.cachemesh.client;

import java.util.Arrays;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/**
 * How values stand in the mesh: as the serializer makes them, so that other clients can read them. What begins with a
 * zero byte is marked: {@code 00 4E} is null, {@code 00 56} comes before a value that itself begins with a zero byte.
 */
final class Bytes {

    private static final byte[] NULL = {0, 'N'};

    private Bytes() {}

    static <V> byte[] encode(Serializer<V> serializer, @Nullable V value, CacheOptions options) {
        if (value == null) {
            if (!options.nullValues()) {
                throw new NullPointerException("this cache has no null values");
            }
            return NULL;
        }
        byte[] bytes;
        try {
            bytes = serializer.serialize(value);
        } catch (Exception e) {
            throw new CacheMeshSerializationException("a value of " + value.getClass().getName() + " cannot be turned into bytes: " + Errors.message(e), e);
        }
        if (bytes.length == 0 || bytes[0] != 0) {
            return bytes;
        }
        byte[] marked = new byte[bytes.length + 2];
        marked[1] = 'V';
        System.arraycopy(bytes, 0, marked, 2, bytes.length);
        return marked;
    }

    static <V> CacheEntry<V> decode(Serializer<V> serializer, byte[] bytes) {
        byte[] plain = bytes;
        if (bytes.length > 0 && bytes[0] == 0) {
            if (Arrays.equals(bytes, NULL)) {
                return new CacheEntry<>(null);
            }
            if (bytes.length < 2 || bytes[1] != 'V') {
                throw new CacheMeshSerializationException("the bytes of a value are of an unknown kind: "
                        + HexFormat.of().formatHex(bytes, 0, Math.min(bytes.length, 8)) + "…", null);
            }
            plain = Arrays.copyOfRange(bytes, 2, bytes.length);
        }
        try {
            return new CacheEntry<>(serializer.deserialize(plain));
        } catch (Exception e) {
            throw new CacheMeshSerializationException("the bytes of a value cannot be read, perhaps another version of this program wrote them: " + Errors.message(e), e);
        }
    }

    /** A key, to be found in a map. */
    static final class Key {

        final byte[] bytes;
        private final int hash;

        Key(byte[] bytes) {
            this.bytes = bytes;
            hash = Arrays.hashCode(bytes);
        }

        @Override
        public boolean equals(@Nullable Object o) {
            return o instanceof Key k && Arrays.equals(bytes, k.bytes);
        }

        @Override
        public int hashCode() {
            return hash;
        }
    }
}
