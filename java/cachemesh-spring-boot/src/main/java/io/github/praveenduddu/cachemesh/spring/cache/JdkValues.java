package io.github.praveenduddu.cachemesh.spring.cache;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputFilter;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.util.Collection;
import java.util.List;

import org.jspecify.annotations.Nullable;

import org.springframework.core.ConfigurableObjectInputStream;

/**
 * Values by Java's own serialization, for those who choose it. Only classes of the given packages and of java.* are
 * read. Safe for concurrent use.
 */
public final class JdkValues implements CacheMeshValues {

    private final List<String> packages;

    private final @Nullable ClassLoader loader;

    /**
     * Makes values of Java's serialization.
     *
     * @param packages the packages whose classes may be values, with those below them; copied
     * @param loader where classes are found
     */
    public JdkValues(Collection<String> packages, @Nullable ClassLoader loader) {
        this.packages = List.copyOf(packages);
        this.loader = loader;
    }

    @Override
    public byte[] encode(@Nullable Object value) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(value);
        }
        catch (IOException ex) {
            throw new CacheMeshValueException(
                    "A value of %s cannot be serialized: %s".formatted((value != null) ? value.getClass().getName() : "null", ex), ex);
        }
        return bytes.toByteArray();
    }

    @Override
    public @Nullable Object decode(byte[] bytes) {
        try (ObjectInputStream in = new ConfigurableObjectInputStream(new ByteArrayInputStream(bytes), this.loader)) {
            in.setObjectInputFilter(this::filter);
            return in.readObject();
        }
        catch (IOException | ClassNotFoundException | RuntimeException ex) {
            throw new CacheMeshValueException("A value cannot be read by Java's serialization: " + ex, ex);
        }
    }

    private ObjectInputFilter.Status filter(ObjectInputFilter.FilterInfo info) {
        Class<?> type = info.serialClass();
        if (type == null) {
            return ObjectInputFilter.Status.UNDECIDED;
        }
        while (type.isArray()) {
            type = type.getComponentType();
        }
        String name = type.getName();
        boolean good = type.isPrimitive() || name.startsWith("java.")
                || this.packages.stream().anyMatch((p) -> name.startsWith(p + "."));
        return good ? ObjectInputFilter.Status.ALLOWED : ObjectInputFilter.Status.REJECTED;
    }
}
