package io.github.praveenduddu.cachemesh.spring.cache;

import java.math.BigDecimal;
import java.net.URI;
import java.time.DayOfWeek;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;

import org.junit.jupiter.api.Test;

import org.springframework.cache.interceptor.SimpleKey;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class KeyEncodingTests {

    private final KeyEncoding encoding = new KeyEncoding(List.of());

    record Pair(String first, int second) {
    }

    record Nested(Pair pair, List<Object> rest) {
    }

    static class Opaque {
    }

    @Test
    void textsAreAsDocumented() {
        Map<Object, String> want = new HashMap<>();
        want.put("a", "a");
        want.put("", "#s");
        want.put("#a", "##a");
        want.put("a,(b)", "a,(b)");
        want.put(42, "#42");
        want.put(-42L, "#-42");
        want.put(true, "#true");
        want.put('x', "#cx");
        want.put(1.5, "#f1.5");
        want.put(new BigDecimal("1.50"), "#n1.50");
        want.put(DayOfWeek.MONDAY, "#java.time.DayOfWeek:MONDAY");
        want.put(LocalDate.of(2026, 1, 31), "#LocalDate:2026-01-31");
        want.put(Instant.EPOCH, "#Instant:1970-01-01T00:00:00Z");
        want.put(new UUID(1, 2), "#UUID:00000000-0000-0001-0000-000000000002");
        want.put(URI.create("a:b"), "#URI:a:b");
        want.put(Locale.CANADA_FRENCH, "#Locale:fr-CA");
        want.put(SimpleKey.EMPTY, "#()");
        want.put(new SimpleKey("a", 1, null), "#(a,#1,#null)");
        want.put(new SimpleKey("a,b", "c)"), "#(a\\,b,c\\))");
        want.put(List.of("a", 1), "#[a,#1]");
        want.put(Set.of(3, 1, 2), "#{#1,#2,#3}");
        want.put(Map.of("b", 1, "a", 2), "#{a=#2,b=#1}");
        want.put(new Pair("a", 1), "#" + Pair.class.getName() + "(a,#1)");
        want.forEach((key, text) -> assertThat(this.encoding.encode(key)).as("%s", key).isEqualTo(text));
        assertThat(this.encoding.encode(new int[] { 1, 2 })).isEqualTo("#[#1,#2]");
    }

    @Test
    void differentKeysHaveDifferentTexts() {
        List<Object> keys = List.of("a", "#a", "##a", "", "#s", "#()", "#", "1", 1, "#1", 1.0, 1.0f / 3, 1.0 / 3, 'a', true,
                "true", "#true", SimpleKey.EMPTY, new SimpleKey("a", "b"), new SimpleKey("a,b"), new SimpleKey("a\\", "b"),
                new SimpleKey("a\\,b"), List.of("a", "b"), List.of("a,b"), List.of("#[a"), List.of(List.of("a")),
                List.of(List.of("a"), "b"), List.of(List.of("a", "b")), List.of("[a]"), List.of("#[a]"),
                List.of("##[a]"), Map.of("a", "b"), Set.of("a=b"), Map.of("a", "b=c"), Map.of("a=b", "c"),
                new Pair("a", 1), new SimpleKey("a", 1), new Nested(new Pair("a", 1), List.of()),
                new Nested(new Pair("a,#1", 1), List.of()), DayOfWeek.MONDAY, "MONDAY", new BigDecimal("1.0"),
                new BigDecimal("1.00"), Locale.ENGLISH, "en", LocalDate.EPOCH, "1970-01-01");
        assertThat(keys.stream().map(this.encoding::encode)).doesNotHaveDuplicates();
    }

    @Test
    void equalKeysHaveOneTextHoweverTheyAreMade() {
        assertThat(this.encoding.encode(1L)).isEqualTo(this.encoding.encode((byte) 1));
        assertThat(this.encoding.encode(new ArrayList<>(List.of("a")))).isEqualTo(this.encoding.encode(Arrays.asList("a")));
        assertThat(this.encoding.encode(new LinkedHashSet<>(List.of("b", "a")))).isEqualTo(this.encoding.encode(new TreeSet<>(Set.of("a", "b"))));
    }

    @Test
    void longTextsAreDigested() {
        String shortest = this.encoding.encode("x".repeat(1001));
        assertThat(shortest).startsWith("#sha256:").endsWith(":" + "x".repeat(16)).hasSizeLessThan(100);
        assertThat(this.encoding.encode("x".repeat(1000))).hasSize(1000);
        assertThat(this.encoding.encode("x".repeat(1002))).isNotEqualTo(shortest);
        assertThat(this.encoding.encode(shortest)).isEqualTo("#" + shortest);
        assertThat(this.encoding.encode("é".repeat(501))).startsWith("#sha256:");
    }

    @Test
    void anObjectWithoutAnEncodingIsAClearError() {
        for (Object key : List.of(new Opaque(), List.of(new Opaque()), new SimpleKey("a", new Opaque()))) {
            assertThatExceptionOfType(CacheMeshKeyException.class).isThrownBy(() -> this.encoding.encode(key))
                .withMessage("A key of a cache is of class " + Opaque.class.getName() + ", which has no encoding that is "
                        + "the same in all processes. Use a String, a number, an enum, a UUID, a java.time value, a record or "
                        + "a collection of these (as in @Cacheable(key = \"#book.isbn\")), or declare a CacheMeshKeyEncoder "
                        + "bean for it.");
        }
        assertThatExceptionOfType(CacheMeshKeyException.class).isThrownBy(() -> this.encoding.encode("\ud800"))
            .withMessageContaining("half of a surrogate pair");
        List<Object> deep = new ArrayList<>();
        deep.add(deep);
        assertThatExceptionOfType(CacheMeshKeyException.class).isThrownBy(() -> this.encoding.encode(deep))
            .withMessageContaining("nested more than 16 deep");
    }

    @Test
    void encodersOfTheApplicationAreAskedFirst() {
        KeyEncoding own = new KeyEncoding(List.of((key) -> (key instanceof Opaque) ? "opaque(1)" : null));
        assertThat(own.encode(new Opaque())).isEqualTo("opaque(1)");
        assertThat(own.encode(List.of(new Opaque(), "a"))).isEqualTo("#[opaque\\(1\\),a]");
    }
}
