package io.github.praveenduddu.cachemesh.spring.cache;

import io.github.praveenduddu.cachemesh.client.Serializer;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;

/** What the client asks of {@link CacheMeshValues}. Bytes that cannot be read are a value that says so: a miss. */
final class MeshValues implements Serializer<Object> {

    private static final Log logger = LogFactory.getLog(CacheMeshCache.class);

    private static final Object UNREADABLE = new Object();

    private final String cache;

    private final CacheMeshValues values;

    MeshValues(String cache, CacheMeshValues values) {
        this.cache = cache;
        this.values = values;
    }

    static boolean unreadable(@Nullable Object value) {
        return value == UNREADABLE;
    }

    @Override
    public byte[] serialize(Object value) {
        return this.values.encode(value);
    }

    @Override
    public Object deserialize(byte[] bytes) {
        try {
            Object value = this.values.decode(bytes);
            return (value != null) ? value : UNREADABLE;
        }
        catch (CacheMeshValueException ex) {
            logger.warn("Cache '" + this.cache + "' has a value that cannot be read, which is taken for a miss: " + ex.getMessage());
            return UNREADABLE;
        }
    }
}
