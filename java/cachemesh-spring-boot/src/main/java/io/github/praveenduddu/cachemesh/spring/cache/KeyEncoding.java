package io.github.praveenduddu.cachemesh.spring.cache;

import java.lang.reflect.Array;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Currency;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

import org.jspecify.annotations.Nullable;

import org.springframework.cache.interceptor.SimpleKey;
import org.springframework.util.ReflectionUtils;

/**
 * The texts that keys have in a mesh: equal keys have one, different keys have different ones, in every process.
 *
 * <pre>
 * "a"  String            a               one that begins with # has another # before it, the empty one is #s
 * 42   whole numbers     #42             of any type: an int and a long of one value are one key
 * true, 'x', 1.5         #true #cx #f1.5 (double and float)  #n1.50 (BigDecimal)
 * UUID, URI, Locale, Currency, java.time  #UUID:…  #LocalDate:2026-01-31
 * enums                  #com.acme.Color:RED
 * records                #com.acme.Pair(a,#1)
 * several arguments      #(a,#1)         SimpleKey; one without any is #()
 * List, array            #[a,#1]         Set and Map: #{…}, in the order of their texts
 * </pre>
 *
 * In a part the characters {@code \ , ( ) [ ] { } =} have a backslash before them. Of a text of more than 1000 bytes
 * {@code #sha256:} with its digest and its first 16 characters are left. Anything else is a
 * {@link CacheMeshKeyException}; {@code toString} of an object that does not promise one text is never used. Safe for
 * concurrent use.
 */
public final class KeyEncoding implements CacheMeshKeyEncoder {

    static final int MOST_BYTES = 1000;

    private static final int MOST_DEPTH = 16;

    private static final Field PARAMS = params();

    private final List<CacheMeshKeyEncoder> first;

    /**
     * Makes an encoding.
     *
     * @param first who is asked before it, in this order; copied
     */
    public KeyEncoding(Collection<? extends CacheMeshKeyEncoder> first) {
        this.first = List.copyOf(first);
    }

    /**
     * Returns the text of a key.
     *
     * @param key the key
     * @return the text, 1 to 1000 bytes in UTF-8
     * @throws CacheMeshKeyException if the key, or a part of it, has none
     */
    @Override
    public String encode(Object key) {
        return shortened(text(key, 0), key);
    }

    private String text(@Nullable Object key, int depth) {
        String plain = plain(key);
        return (plain != null || key == null) ? String.valueOf(plain) : "#" + composite(key, depth + 1);
    }

    /** Texts of composites have their backslashes already. */
    private String part(@Nullable Object key, int depth) {
        String plain = plain(key);
        return (plain != null || key == null) ? String.valueOf(plain).replaceAll("[\\\\,()\\[\\]{}=]", "\\\\$0")
                : "#" + composite(key, depth + 1);
    }

    /** Returns the text of what has no parts, or null. */
    private @Nullable String plain(@Nullable Object key) {
        if (key == null) {
            return "#null";
        }
        for (CacheMeshKeyEncoder encoder : this.first) {
            String text = encoder.encode(key);
            if (text != null) {
                return text;
            }
        }
        if (key instanceof String s) {
            return s.isEmpty() ? "#s" : s.startsWith("#") ? "#" + s : s;
        }
        String scalar = scalar(key);
        return (scalar != null) ? "#" + scalar : null;
    }

    private static @Nullable String scalar(Object key) {
        if (key instanceof Long || key instanceof Integer || key instanceof Short || key instanceof Byte
                || key instanceof BigInteger || key instanceof Boolean) {
            return key.toString();
        }
        if (key instanceof Character c) {
            return "c" + c;
        }
        if (key instanceof Double || key instanceof Float) {
            return "f" + ((Number) key).doubleValue();
        }
        if (key instanceof BigDecimal n) {
            return "n" + n;
        }
        if (key instanceof Enum<?> e) {
            return e.getDeclaringClass().getName() + ":" + e.name();
        }
        if (key instanceof Locale l) {
            return "Locale:" + l.toLanguageTag();
        }
        Class<?> type = key.getClass();
        if (key instanceof UUID || key instanceof URI || key instanceof Currency
                || (key instanceof Comparable<?> && type.getPackageName().equals("java.time"))
                || key instanceof java.time.Period) {
            return type.getSimpleName() + ":" + key;
        }
        return null;
    }

    private String composite(Object key, int depth) {
        if (depth > MOST_DEPTH) {
            throw new CacheMeshKeyException("A key of a cache is nested more than " + MOST_DEPTH + " deep.");
        }
        if (key instanceof SimpleKey) {
            Object[] params = (Object[]) ReflectionUtils.getField(PARAMS, key);
            return list("(", ")", params, depth);
        }
        if (key instanceof List<?> list) {
            return list("[", "]", list.toArray(), depth);
        }
        if (key.getClass().isArray()) {
            Object[] all = new Object[Array.getLength(key)];
            for (int i = 0; i < all.length; i++) {
                all[i] = Array.get(key, i);
            }
            return list("[", "]", all, depth);
        }
        if (key instanceof Set<?> set) {
            List<String> all = new ArrayList<>();
            set.forEach((element) -> all.add(part(element, depth)));
            return sorted(all);
        }
        if (key instanceof Map<?, ?> map) {
            List<String> all = new ArrayList<>();
            map.forEach((k, v) -> all.add(part(k, depth) + "=" + part(v, depth)));
            return sorted(all);
        }
        if (key instanceof Record record) {
            return key.getClass().getName() + list("(", ")", components(record), depth);
        }
        throw new CacheMeshKeyException(("A key of a cache is of %s, which has no encoding that is the same in all "
                + "processes. Use a String, a number, an enum, a UUID, a java.time value, a record or a collection of "
                + "these (as in @Cacheable(key = \"#book.isbn\")), or declare a CacheMeshKeyEncoder bean for it.")
                .formatted(key.getClass()));
    }

    private String list(String open, String close, Object @Nullable [] all, int depth) {
        List<String> parts = new ArrayList<>();
        if (all != null) {
            for (Object element : all) {
                parts.add(part(element, depth));
            }
        }
        return open + String.join(",", parts) + close;
    }

    private static String sorted(List<String> all) {
        Collections.sort(all);
        return "{" + String.join(",", all) + "}";
    }

    private static Object[] components(Record record) {
        RecordComponent[] components = record.getClass().getRecordComponents();
        Object[] all = new Object[components.length];
        for (int i = 0; i < all.length; i++) {
            try {
                var accessor = components[i].getAccessor();
                accessor.setAccessible(true);
                all[i] = accessor.invoke(record);
            }
            catch (IllegalAccessException | RuntimeException ex) {
                throw new CacheMeshKeyException("The record " + record.getClass().getName()
                        + " cannot be a key of a cache: its parts cannot be read: " + ex.getMessage());
            }
            catch (InvocationTargetException ex) {
                throw new CacheMeshKeyException("The record " + record.getClass().getName()
                        + " cannot be a key of a cache: its accessor failed: " + ex.getTargetException());
            }
        }
        return all;
    }

    private static String shortened(String text, Object key) {
        ByteBuffer bytes;
        try {
            bytes = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
        }
        catch (CharacterCodingException ex) {
            throw new CacheMeshKeyException("A key of a cache, of " + key.getClass()
                    + ", has half of a surrogate pair, which UTF-8 does not know.");
        }
        if (bytes.remaining() <= MOST_BYTES) {
            return text;
        }
        try {
            byte[] all = new byte[bytes.remaining()];
            bytes.get(all);
            String digest = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(all));
            int kept = 16 - (Character.isHighSurrogate(text.charAt(15)) ? 1 : 0);
            return "#sha256:" + digest + ":" + text.substring(0, kept);
        }
        catch (NoSuchAlgorithmException ex) {
            throw new IllegalStateException(ex); // every Java has it
        }
    }

    private static Field params() {
        Field field = ReflectionUtils.findField(SimpleKey.class, "params");
        if (field == null) {
            throw new IllegalStateException("This Spring's SimpleKey has no field \"params\"");
        }
        ReflectionUtils.makeAccessible(field);
        return field;
    }
}
