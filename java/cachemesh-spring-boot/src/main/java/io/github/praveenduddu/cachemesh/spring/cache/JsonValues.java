package io.github.praveenduddu.cachemesh.spring.cache;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DefaultTyping;
import tools.jackson.databind.ObjectReader;
import tools.jackson.databind.ObjectWriter;
import tools.jackson.databind.json.JsonMapper;

/**
 * Values as JSON by Jackson 3. Each object whose class its field does not fix says it, as {@code @class}; only classes
 * of the given packages, and those of Java that hold data, are made when values are read, whatever the bytes say. The
 * first value that has a class is read back when it is written, so that a class that Jackson cannot read is an error at
 * once, not a miss for ever. Safe for concurrent use.
 */
public final class JsonValues implements CacheMeshValues {

    private static final int MOST_CHECKED = 10_000;

    /** In a text within JSON the quotes have backslashes, so this is never one. */
    private static final byte[] CLASS = "\"@class\":\"".getBytes(StandardCharsets.US_ASCII);

    private final ObjectWriter writer;

    private final ObjectReader reader;

    private final Collection<String> packages;

    /** The names of the classes that were read back. */
    private final Set<String> checked = ConcurrentHashMap.newKeySet();

    /**
     * Makes values of JSON.
     *
     * @param packages the packages whose classes may be values, with those below them; copied
     * @param loader where classes are found
     */
    public JsonValues(Collection<String> packages, @Nullable ClassLoader loader) {
        this(packages, JsonMapper.builder().findAndAddModules(loader), loader);
    }

    JsonValues(Collection<String> packages, JsonMapper.Builder builder, @Nullable ClassLoader loader) {
        this.packages = List.copyOf(packages);
        JsonMapper mapper = builder
            .activateDefaultTypingAsProperty(new DataTypes(this.packages), DefaultTyping.NON_FINAL, "@class")
            .typeFactory(builder.typeFactory().withClassLoader(loader))
            .build();
        this.writer = mapper.writerFor(Object.class);
        this.reader = mapper.readerFor(Object.class);
    }

    @Override
    public byte[] encode(@Nullable Object value) {
        try {
            byte[] bytes = this.writer.writeValueAsBytes(value);
            check(value, bytes);
            return bytes;
        }
        catch (JacksonException ex) {
            throw new CacheMeshValueException("A value of %s cannot be written as JSON: %s".formatted(name(value),
                    ex.getOriginalMessage()), ex);
        }
    }

    private void check(@Nullable Object value, byte[] bytes) {
        if (value == null) {
            return;
        }
        Set<String> classes = classes(value.getClass().getName(), bytes);
        if (this.checked.containsAll(classes)) {
            return;
        }
        try {
            this.reader.readValue(bytes);
        }
        catch (JacksonException ex) {
            throw new CacheMeshValueException(("A value of %s is written as JSON, but cannot be read again: %s. Values "
                    + "may be of %s and of Java's own classes (cachemesh.serialization.packages adds others), records, "
                    + "or classes that Jackson can make (@JsonCreator); or set cachemesh.serialization.format=jdk.")
                .formatted(name(value), ex.getOriginalMessage(), this.packages), ex);
        }
        if (this.checked.size() < MOST_CHECKED) {
            this.checked.addAll(classes);
        }
    }

    /** Returns the names of the classes that bytes say, for those in a list, say, need not be those of the last one. */
    private static Set<String> classes(String own, byte[] bytes) {
        Set<String> names = new HashSet<>(Set.of(own));
        for (int i = 0; i + CLASS.length < bytes.length; i++) {
            if (bytes[i] != CLASS[0] || Arrays.mismatch(bytes, i, i + CLASS.length, CLASS, 0, CLASS.length) >= 0) {
                continue;
            }
            int begin = i + CLASS.length;
            int end = begin;
            while (end < bytes.length && bytes[end] != '"') {
                end++;
            }
            names.add(new String(bytes, begin, end - begin, StandardCharsets.UTF_8));
            i = end;
        }
        return names;
    }

    @Override
    public @Nullable Object decode(byte[] bytes) {
        try {
            return this.reader.readValue(bytes);
        }
        catch (JacksonException ex) {
            throw new CacheMeshValueException("A value cannot be read as JSON: " + ex.getOriginalMessage(), ex);
        }
    }

    private static String name(@Nullable Object value) {
        return (value != null) ? value.getClass().getName() : "null";
    }
}
