package io.github.praveenduddu.cachemesh.spring.cache;

import java.io.Serializable;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Stream;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class ValuesTests {

    private static final List<String> HERE = List.of(ValuesTests.class.getPackageName());

    private final JsonValues json = new JsonValues(HERE, getClass().getClassLoader());

    private final JdkValues jdk = new JdkValues(HERE, getClass().getClassLoader());

    enum Colour { RED, GREEN }

    record Book(String isbn, @Nullable String title, BigDecimal price, LocalDate day, List<String> authors,
            Map<String, Object> more, Colour colour, Optional<String> note) implements Serializable {
    }

    interface Shape {
    }

    record Circle(double radius) implements Shape, Serializable {
    }

    record Drawing(Shape shape, Object anything, List<? extends Shape> shapes) implements Serializable {
    }

    static class Bean implements Serializable {

        private @Nullable String name;

        private long number;

        public @Nullable String getName() {
            return this.name;
        }

        public void setName(@Nullable String name) {
            this.name = name;
        }

        public long getNumber() {
            return this.number;
        }

        public void setNumber(long number) {
            this.number = number;
        }
    }

    static final class NoWayIn {

        private final String name;

        NoWayIn(String name, int other) {
            this.name = name + other;
        }

        public String getName() {
            return this.name;
        }
    }

    private static final Book BOOK = new Book("1", null, new BigDecimal("9.90"), LocalDate.EPOCH, List.of("a", "b"),
            Map.of("long", 1L, "int", 2, "when", Instant.EPOCH), Colour.RED, Optional.of("n"));

    @Test
    void whatComesOutOfJsonIsWhatWentIn() {
        List<Object> values = List.of("text", "", 1, 1L, (short) 1, 1.5, 1.5f, true, 'c', new BigDecimal("1.20"),
                new BigInteger("12345678901234567890"), new UUID(1, 2), Instant.now(), Duration.ofSeconds(3), Colour.GREEN,
                BOOK, List.of(BOOK), List.of(), List.of(1L, 2), Stream.of(BOOK).toList(), Arrays.asList("a", null),
                new ArrayList<>(List.of(new Circle(1))), Collections.emptyList(), Set.of(1L), Map.of("a", BOOK),
                new TreeMap<>(Map.of("z", 1, "a", 2L)), new Circle(2),
                new Drawing(new Circle(1), 5L, List.of(new Circle(2))), Collections.unmodifiableList(new ArrayList<>(List.of(BOOK))));
        for (Object value : values) {
            Object read = this.json.decode(this.json.encode(value));
            assertThat(read).as("%s: %s", value.getClass(), new String(this.json.encode(value), StandardCharsets.UTF_8))
                .isEqualTo(value);
        }
        assertThat(this.json.decode(this.json.encode(null))).isNull();
        assertThat((byte[]) this.json.decode(this.json.encode(new byte[] { 1, 2 }))).containsExactly(1, 2);
        assertThat((Book[]) this.json.decode(this.json.encode(new Book[] { BOOK }))).containsExactly(BOOK);
        assertThat((long[]) this.json.decode(this.json.encode(new long[] { 1 }))).containsExactly(1);
        Bean bean = new Bean();
        bean.setName("n");
        bean.setNumber(7);
        assertThat(this.json.decode(this.json.encode(bean))).usingRecursiveComparison().isEqualTo(bean);
    }

    @Test
    void whatJacksonCannotReadIsSaidWhenItIsWritten() {
        assertThatExceptionOfType(CacheMeshValueException.class).isThrownBy(() -> this.json.encode(new NoWayIn("a", 1)))
            .withMessageStartingWith("A value of " + NoWayIn.class.getName() + " is written as JSON, but cannot be read again: ")
            .withMessageEndingWith("or set cachemesh.serialization.format=jdk.");
    }

    /** What a list or a field holds may be of another class each time. */
    @Test
    void whatJacksonCannotReadIsSaidWhereverItIs() {
        this.json.encode(new ArrayList<>(List.of(new Circle(1))));
        this.json.encode(new Drawing(new Circle(1), "\"@class\":\"no.such.Class\"", List.of()));
        NoWayIn none = new NoWayIn("a", 1);
        for (Object value : List.of(new ArrayList<>(List.of(none)), new Drawing(new Circle(1), none, List.of()))) {
            for (int i = 0; i < 2; i++) {
                assertThatExceptionOfType(CacheMeshValueException.class).isThrownBy(() -> this.json.encode(value))
                    .withMessageContaining("cannot be read again");
            }
        }
    }

    /** Instances of two versions of an application read each other's values, or miss them. */
    @Test
    void aClassThatChangedBetweenVersions() {
        String name = Bean.class.getName();
        Object more = read("{\"@class\":\"" + name + "\",\"name\":\"n\",\"number\":7,\"added\":{\"a\":[1]}}");
        assertThat(more).isInstanceOfSatisfying(Bean.class, (bean) -> assertThat(bean.getNumber()).isEqualTo(7));
        Object less = read("{\"@class\":\"" + name + "\",\"number\":7}");
        assertThat(less).isInstanceOfSatisfying(Bean.class, (bean) -> assertThat(bean.getName()).isNull());
        for (String text : List.of("{\"@class\":\"" + name + "\",\"number\":\"not any more\"}", "{\"@class\":\"" + name + "Gone\"}",
                "{\"@class\":\"" + Circle.class.getName() + "\"}", "{\"@class\":\"" + Shape.class.getName() + "\"}",
                "[\"" + Colour.class.getName() + "\",\"BLUE\"]", "{\"@class\":\"\"}", "{", "")) {
            assertThatExceptionOfType(CacheMeshValueException.class).as(text).isThrownBy(() -> read(text));
        }
        byte[] jdkBytes = this.jdk.encode(new Circle(1));
        assertThatExceptionOfType(CacheMeshValueException.class).isThrownBy(() -> this.json.decode(jdkBytes));
    }

    private Object read(String text) {
        return this.json.decode(text.getBytes(StandardCharsets.UTF_8));
    }

    /** What refers to itself has no end. */
    @Test
    void whatRefersToItselfIsAnError() {
        List<Object> self = new ArrayList<>();
        self.add(self);
        assertThatExceptionOfType(CacheMeshValueException.class).isThrownBy(() -> this.json.encode(self));
    }

    @Test
    void classesOfOthersAreNotMadeOfWhatIsRead() {
        JsonValues elsewhere = new JsonValues(List.of("com.acme"), getClass().getClassLoader());
        byte[] bytes = this.json.encode(BOOK);
        assertThatExceptionOfType(CacheMeshValueException.class).isThrownBy(() -> elsewhere.decode(bytes))
            .withMessageContaining("PolymorphicTypeValidator");
        for (String name : List.of("java.util.Formatter", "java.util.Timer", "java.lang.Thread",
                "java.util.logging.FileHandler", "java.net.URL", "java.lang.ProcessBuilder",
                "javax.swing.JEditorPane", "org.springframework.context.support.ClassPathXmlApplicationContext",
                "[Lorg.springframework.context.support.ClassPathXmlApplicationContext;",
                HERE.get(0) + "x.Other")) {
            String text = "[\"" + name + "\",\"/tmp/x\"]";
            assertThatExceptionOfType(CacheMeshValueException.class).as(name)
                .isThrownBy(() -> this.json.decode(text.getBytes(StandardCharsets.UTF_8)))
                .withMessageContaining("denied");
        }
    }

    @Test
    void whatComesOutOfJdkIsWhatWentIn() {
        for (Object value : List.of("text", 1L, new Circle(2), List.of(new Circle(1)), new Drawing(new Circle(1), 1, List.of()))) {
            assertThat(this.jdk.decode(this.jdk.encode(value))).isEqualTo(value);
        }
        assertThat(this.jdk.decode(this.jdk.encode(null))).isNull();
        assertThatExceptionOfType(CacheMeshValueException.class).isThrownBy(() -> this.jdk.encode(new Object()))
            .withMessageContaining("NotSerializableException: java.lang.Object");
        JdkValues elsewhere = new JdkValues(List.of("com.acme"), getClass().getClassLoader());
        byte[] bytes = this.jdk.encode(new Circle(1));
        assertThatExceptionOfType(CacheMeshValueException.class).isThrownBy(() -> elsewhere.decode(bytes))
            .withMessageContaining("REJECTED");
    }

    @Test
    void whatIsNoneOfTheirsIsAnError() {
        for (CacheMeshValues values : List.of(this.json, this.jdk)) {
            assertThatExceptionOfType(CacheMeshValueException.class)
                .isThrownBy(() -> values.decode("{".getBytes(StandardCharsets.UTF_8)));
        }
    }
}
