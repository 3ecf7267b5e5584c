package io.github.praveenduddu.cachemesh.spring.autoconfigure;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

import io.github.praveenduddu.cachemesh.spring.cache.CacheMeshCacheSettings;
import io.github.praveenduddu.cachemesh.spring.cache.OnError;
import org.jspecify.annotations.Nullable;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.lang.Contract;
import org.springframework.util.unit.DataSize;

/**
 * What is said of CacheMesh by {@code cachemesh.*}.
 *
 * @param enabled Whether CacheMesh is configured. Default: unless spring.cache.type names other caches.
 * @param mesh Name of the mesh; members of differently named ones refuse each other. Default: spring.application.name,
 * or "cachemesh".
 * @param name Unique and stable name of this instance's member: one that comes back under it owns the same part of the keys.
 * Default: a new one for each start.
 * @param bootstrapNodes Addresses (host:port) of any members of the mesh, this one included or not; a DNS name stands for
 * all its addresses. Without any, instances on this machine find each other.
 * @param secret What all members know, 16 bytes or more: encrypts gossip and authenticates members. Needed as soon as
 * other machines can reach the member's port.
 * @param maxBytes What this instance's member may hold of all caches together. Default: no bound but those of the
 * caches.
 * @param maxCaches How many caches may be made besides those that are named.
 * @param enableCaching Whether Spring's caching annotations work without @EnableCaching.
 * @param transactionAware Whether puts and evictions wait for the transaction around them to commit.
 * @param member The member beside this JVM.
 * @param client How this JVM talks to its member.
 * @param defaults What holds for each cache that says nothing else.
 * @param caches What holds for caches by name. Those named here exist from the start, others from their first use.
 * @param serialization How values become bytes.
 * @param metrics What is measured.
 */
@ConfigurationProperties("cachemesh")
public record CacheMeshProperties(@Nullable Boolean enabled, @Nullable String mesh, @Nullable String name,
        @DefaultValue List<String> bootstrapNodes, @Nullable String secret,
        @Nullable DataSize maxBytes,
        @DefaultValue("64") int maxCaches, @DefaultValue("true") boolean enableCaching,
        @DefaultValue("false") boolean transactionAware, @DefaultValue Member member, @DefaultValue Client client,
        @DefaultValue CacheOptions defaults, @DefaultValue Map<String, CacheOptions> caches,
        @DefaultValue Serialization serialization, @DefaultValue Metrics metrics) {

    /** Says nothing of the secret. */
    @Override
    public String toString() {
        return "CacheMeshProperties[mesh=" + this.mesh + ", member=" + this.member + ", client=" + this.client + "]";
    }

    /**
     * The member beside this JVM.
     *
     * @param mode Whether this JVM starts its member; or one runs already, as in a container beside it; or there is none
     * and caches are in this JVM's memory alone, for tests.
     * @param listen Address (host:port) for other members, TCP and UDP; port 0 is a free one. Default: 127.0.0.1:0; with
     * bootstrap nodes on other machines :3000.
     * @param advertise Address (host:port) at which other members reach this one. Default: found by itself.
     * @param joinTimeout How long the start waits for a bootstrap node to answer; after that the member serves alone and
     * goes on trying.
     * @param requireJoin Whether the start fails if no bootstrap node answered.
     * @param startTimeout How long the program may take to be ready, the join included.
     * @param shutdownTimeout How long the member may take to leave in order.
     * @param restartBackoff How long the first restart after a crash waits; each next one twice as long, up to 10 s.
     * @param httpPort Port of the member's HTTP API and dashboard on 127.0.0.1; 0 is a free one. Default: none.
     * @param settings Further settings of the program, by the names of its flags.
     * @param binary A cachemesh program to run instead of the one in the jar.
     * @param directory Where the program in the jar is unpacked. Default: a folder of this user's among temporary files.
     */
    public record Member(@DefaultValue("embedded") Mode mode, @Nullable String listen, @Nullable String advertise,
            @DefaultValue("5s") Duration joinTimeout, @DefaultValue("false") boolean requireJoin,
            @DefaultValue("20s") Duration startTimeout, @DefaultValue("10s") Duration shutdownTimeout,
            @DefaultValue("100ms") Duration restartBackoff, @Nullable Integer httpPort,
            @DefaultValue Map<String, String> settings, @Nullable Path binary, @Nullable Path directory) {
    }

    /** Who starts the member. */
    public enum Mode {

        /** This JVM, as a child that ends with it. */
        EMBEDDED,

        /** Somebody else; cachemesh.client.address says where it is. */
        EXTERNAL,

        /** Nobody: caches are in this JVM's memory, and other instances do not see them. For tests. */
        NONE

    }

    /**
     * How this JVM talks to its member.
     *
     * @param address Address of a member's Redis port (host:port, or unix:/path), if mode is external.
     * @param password Password of that port.
     * @param timeout How long an operation on a cache may take.
     * @param connectTimeout How long connecting may take.
     * @param waitingConnections How many connections wait for loads of other instances; each for one key at a time.
     */
    public record Client(@Nullable String address, @Nullable String password,
            @DefaultValue("5s") Duration timeout, @DefaultValue("2s") Duration connectTimeout,
            @DefaultValue("16") int waitingConnections) {

        /** Says nothing of the password. */
        @Override
        public String toString() {
            return "Client[address=" + this.address + "]";
        }
    }

    /**
     * What holds for a cache; what is not said is as in cachemesh.defaults.
     *
     * @param ttl How long values live. Default: until they are evicted or have no room.
     * @param notFoundTtl How long a null lives. Default: as ttl.
     * @param staleFor How long after its ttl a value is still handed out while one caller loads it again.
     * @param keyPrefix What stands before each key.
     * @param onError What happens while the member is down: miss loads and writes warn, fail throws. Default: miss.
     * @param maxBytes What this instance's member may hold of this cache. Default: 16 MB.
     * @param loadTimeout How long the load of another instance is waited for. Default: 60 s.
     */
    public record CacheOptions(@Nullable Duration ttl, @Nullable Duration notFoundTtl, @Nullable Duration staleFor,
            @Nullable String keyPrefix, @Nullable OnError onError, @Nullable DataSize maxBytes,
            @Nullable Duration loadTimeout) {

        /** Returns these options, and what others say where these say nothing. */
        CacheOptions over(CacheOptions others) {
            return new CacheOptions(or(this.ttl, others.ttl), or(this.notFoundTtl, others.notFoundTtl),
                    or(this.staleFor, others.staleFor), or(this.keyPrefix, others.keyPrefix),
                    or(this.onError, others.onError), or(this.maxBytes, others.maxBytes),
                    or(this.loadTimeout, others.loadTimeout));
        }

        CacheMeshCacheSettings toSettings() {
            CacheMeshCacheSettings none = CacheMeshCacheSettings.DEFAULT;
            return new CacheMeshCacheSettings(this.ttl, this.notFoundTtl, or(this.keyPrefix, none.keyPrefix()),
                    or(this.onError, none.onError()), or(this.loadTimeout, none.loadTimeout()));
        }

        @Contract("_, !null -> !null; !null, _ -> !null")
        private static <T> @Nullable T or(@Nullable T value, @Nullable T other) {
            return (value != null) ? value : other;
        }
    }

    /**
     * How values become bytes.
     *
     * @param format JSON by Jackson, or Java's own serialization.
     * @param packages Packages whose classes may be values, besides those of the application.
     */
    public record Serialization(@DefaultValue("json") Format format, @DefaultValue List<String> packages) {
    }

    /** How values become bytes. */
    public enum Format {

        /** JSON by Jackson 3. */
        JSON,

        /** Java's own serialization. */
        JDK

    }

    /**
     * What is measured.
     *
     * @param member Whether what the member counts is among this application's metrics.
     */
    public record Metrics(@DefaultValue("true") boolean member) {
    }
}
