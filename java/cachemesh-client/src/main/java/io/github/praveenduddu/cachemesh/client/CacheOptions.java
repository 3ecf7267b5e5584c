package io.github.praveenduddu.cachemesh.client;

import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** How a {@link MeshCache} keeps its values. Immutable; made by {@link #builder} or {@link #DEFAULT}. */
public final class CacheOptions {

    /** All defaults. */
    public static final CacheOptions DEFAULT = builder().build();

    private final @Nullable Duration ttl;
    private final @Nullable Duration notFoundTtl;
    private final boolean nullValues;
    private final String keyPrefix;
    private final Duration hold;
    private final Duration loadTimeout;

    private CacheOptions(Builder b) {
        ttl = b.ttl;
        notFoundTtl = b.notFoundTtl;
        nullValues = b.nullValues;
        keyPrefix = b.keyPrefix;
        hold = b.hold;
        loadTimeout = b.loadTimeout;
    }

    public static Builder builder() {
        return new Builder();
    }

    public @Nullable Duration ttl() {
        return ttl;
    }

    public @Nullable Duration notFoundTtl() {
        return notFoundTtl;
    }

    public boolean nullValues() {
        return nullValues;
    }

    public String keyPrefix() {
        return keyPrefix;
    }

    public Duration hold() {
        return hold;
    }

    public Duration loadTimeout() {
        return loadTimeout;
    }

    /** Makes {@link CacheOptions}. Not for several threads at once. */
    public static final class Builder {

        private @Nullable Duration ttl;
        private @Nullable Duration notFoundTtl;
        private boolean nullValues = true;
        private String keyPrefix = "";
        private Duration hold = Duration.ofSeconds(10);
        private Duration loadTimeout = Duration.ofSeconds(60);

        private Builder() {}

        /** How long values live that are set or loaded without a time. Default, null: as the member's group says. */
        public Builder ttl(@Nullable Duration d) {
            ttl = d == null ? null : positive("ttl", d);
            return this;
        }

        /** The same of null values. Zero: they are returned and not kept. Default, null: as {@code ttl}. */
        public Builder notFoundTtl(@Nullable Duration d) {
            if (d != null && d.isNegative()) {
                throw new IllegalArgumentException("notFoundTtl: " + d + " is negative");
            }
            notFoundTtl = d;
            return this;
        }

        /** Whether null may be a value. If not, setting or loading one fails with {@link NullPointerException}. Default: yes. */
        public Builder nullValues(boolean yes) {
            nullValues = yes;
            return this;
        }

        /** What the keys of this cache begin with in the mesh, before what the key encoder makes. Default: nothing. */
        public Builder keyPrefix(String prefix) {
            keyPrefix = Objects.requireNonNull(prefix, "keyPrefix");
            return this;
        }

        /**
         * How long the right to load a value stands when nothing is heard of this process. While a loader runs it is
         * renewed. From 1 to 60 s; default: 10 s.
         */
        public Builder hold(Duration d) {
            if (d.compareTo(Duration.ofSeconds(1)) < 0 || d.compareTo(Duration.ofSeconds(60)) > 0) {
                throw new IllegalArgumentException("hold: " + d + " is not from 1 to 60 seconds");
            }
            hold = d;
            return this;
        }

        /**
         * How long a load of another caller or process is waited for. A loader that one's own caller
         * runs is not bounded. Default: 60 s.
         */
        public Builder loadTimeout(Duration d) {
            loadTimeout = positive("loadTimeout", d);
            return this;
        }

        public CacheOptions build() {
            return new CacheOptions(this);
        }

        private static Duration positive(String what, Duration d) {
            if (d.isNegative() || d.isZero()) {
                throw new IllegalArgumentException(what + ": " + d + " is not positive");
            }
            return d;
        }
    }
}
