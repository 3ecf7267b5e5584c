package io.github.praveenduddu.cachemesh.spring.actuate;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

import io.github.praveenduddu.cachemesh.client.CacheMeshClient;
import io.github.praveenduddu.cachemesh.client.CacheMeshException;
import io.github.praveenduddu.cachemesh.client.CacheStats;
import io.github.praveenduddu.cachemesh.client.MeshInfo;
import io.github.praveenduddu.cachemesh.spring.cache.CacheCounts;
import io.github.praveenduddu.cachemesh.spring.cache.CacheMeshCache;
import io.github.praveenduddu.cachemesh.spring.cache.CacheMeshCacheManager;
import io.github.praveenduddu.cachemesh.spring.cache.CacheMeshCacheSettings;
import org.jspecify.annotations.Nullable;

import org.springframework.boot.actuate.endpoint.Access;
import org.springframework.boot.actuate.endpoint.OperationResponseBody;
import org.springframework.boot.actuate.endpoint.annotation.DeleteOperation;
import org.springframework.boot.actuate.endpoint.annotation.Endpoint;
import org.springframework.boot.actuate.endpoint.annotation.ReadOperation;
import org.springframework.boot.actuate.endpoint.annotation.Selector;

/**
 * Shows the mesh as this instance's member sees it, and its caches. A DELETE of a cache clears it, on all instances, if
 * {@code management.endpoint.cachemesh.access=unrestricted} allows that.
 */
@Endpoint(id = "cachemesh", defaultAccess = Access.READ_ONLY)
public class CacheMeshEndpoint {

    private final CacheMeshClient client;

    private final @Nullable CacheMeshCacheManager manager;

    /**
     * Makes one.
     *
     * @param client what asks the member
     * @param manager the caches, or null if there are none
     */
    public CacheMeshEndpoint(CacheMeshClient client, @Nullable CacheMeshCacheManager manager) {
        this.client = client;
        this.manager = manager;
    }

    /**
     * Shows the members, whether they agree, and the caches.
     *
     * @return what the member says
     */
    @ReadOperation
    public MeshDescriptor mesh() {
        MeshInfo info = this.client.info();
        Map<String, CacheDescriptor> caches = new TreeMap<>();
        if (this.manager != null) {
            for (String name : this.manager.getCacheNames()) {
                CacheDescriptor cache = cache(name);
                if (cache != null) {
                    caches.put(name, cache);
                }
            }
        }
        return new MeshDescriptor(info.name(), info.version(), info.settled(), info.mode(), info.members(),
                info.unreachable(), caches);
    }

    /**
     * Shows a cache.
     *
     * @param cache its name
     * @return what is known of it, or null if there is none
     */
    @ReadOperation
    public @Nullable CacheDescriptor cache(@Selector String cache) {
        CacheMeshCache known = (this.manager != null) ? this.manager.getMeshCache(cache) : null;
        if (known == null) {
            return null;
        }
        CacheCounts c = known.getCounts();
        return new CacheDescriptor(known.getSettings(), new InstanceCounts(c.hits(), c.misses(), c.puts(), c.removals(),
                c.loads(), c.loadFailures(), c.failures()), member(known));
    }

    /** What is known here is shown whatever the member says: it may not have the cache. */
    private static @Nullable HitSplit member(CacheMeshCache cache) {
        try {
            CacheStats stats = cache.getMemberStats();
            return new HitSplit(stats.gets(), stats.ownHits(), stats.copyHits(), stats.peerHits(), stats.misses(),
                    stats.claimsWon(), stats.entries(), stats.bytes(), stats.maxBytes());
        }
        catch (CacheMeshException ex) {
            return null;
        }
    }

    /**
     * Clears a cache on all instances.
     *
     * @param cache its name
     * @return whether there was something in it, or null if there is no such cache
     */
    @DeleteOperation
    public @Nullable Cleared clear(@Selector String cache) {
        CacheMeshCache known = (this.manager != null) ? this.manager.getMeshCache(cache) : null;
        return (known != null) ? new Cleared(known.invalidate()) : null;
    }

    /**
     * What a member says of the mesh.
     *
     * @param member its name
     * @param version its program's version
     * @param agreed whether the members agree on who is a member
     * @param mode by what right it answers: majority, half or minority
     * @param members all that it believes to be members
     * @param unreachable those of them that it cannot call
     * @param caches this instance's caches
     */
    public record MeshDescriptor(String member, String version, boolean agreed, String mode,
            List<MeshInfo.Member> members, List<String> unreachable, Map<String, CacheDescriptor> caches) implements OperationResponseBody {
    }

    /**
     * What is known of a cache.
     *
     * @param settings what holds for it
     * @param instance what this instance counted
     * @param member what this instance's member counted, for whoever asked it; null if it does not say
     */
    public record CacheDescriptor(CacheMeshCacheSettings settings, InstanceCounts instance,
            @Nullable HitSplit member) implements OperationResponseBody {
    }

    /**
     * What this instance counted.
     *
     * @param hits gets that had a value
     * @param misses gets that had none
     * @param puts puts
     * @param removals evictions of keys
     * @param loads loads that ran here
     * @param loadFailures of these, those that failed
     * @param failures operations that could not be done
     */
    public record InstanceCounts(long hits, long misses, long puts, long removals, long loads, long loadFailures,
            long failures) {
    }

    /**
     * Where the member had its answers from.
     *
     * @param gets keys that it was asked for
     * @param own of these, answered from its own part
     * @param copy of these, answered from a copy of a key of another member
     * @param peer of these, answered by another member
     * @param misses of these, answered with nothing
     * @param loads loads that were begun
     * @param entries what it holds
     * @param bytes what that takes
     * @param maxBytes what it may take
     */
    public record HitSplit(long gets, long own, long copy, long peer, long misses, long loads, long entries, long bytes,
            long maxBytes) {
    }

    /**
     * Says that a cache was cleared.
     *
     * @param hadEntries whether there was something in it
     */
    public record Cleared(boolean hadEntries) implements OperationResponseBody {
    }
}
