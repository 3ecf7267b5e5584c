package io.github.praveenduddu.cachemesh.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What becomes of those who use a client that is closed, and of those who wait when the member goes. */
@Timeout(60)
class CloseIT {

    static RunningMember member;

    @BeforeAll
    static void start() throws Exception {
        member = RunningMember.start(List.of());
    }

    @AfterAll
    static void stop() {
        member.close();
    }

    static MeshCache<String, String> cache(CacheMeshClient c) {
        return c.cache("closed", Serializer.utf8(), CacheOptions.DEFAULT);
    }

    @Test
    void aLoadThatRunsComesToItsEndAndItsCallersHaveTheValue() throws Exception {
        CacheMeshClient client = member.client();
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch end = new CountDownLatch(1);
        CompletableFuture<String> load = CompletableFuture.supplyAsync(() -> cache(client).getOr("running", k -> {
            begun.countDown();
            end.await();
            return "v";
        }), task -> new Thread(task).start());
        assertThat(begun.await(20, TimeUnit.SECONDS)).isTrue();
        client.close();
        end.countDown();
        assertThat(load.get(10, TimeUnit.SECONDS)).isEqualTo("v");
    }

    /** The right to load came, and the client is closed before the loader is called. */
    @Test
    void closedBetweenTheRightToLoadAndTheLoad() throws Exception {
        AtomicReference<CacheMeshClient> client = new AtomicReference<>();
        client.set(CacheMeshClient.create(ClientOptions.builder(member.address).executor(task -> new Thread(() -> {
            client.get().close();
            task.run();
        }).start()).build()));
        assertThat(cache(client.get()).getOrAsync("between", k -> CompletableFuture.completedFuture("v")).toCompletableFuture().get(10, TimeUnit.SECONDS))
                .isEqualTo("v");
    }

    @Test
    void allOperationsSayThatItIsClosed() {
        CacheMeshClient client = member.client();
        MeshCache<String, String> c = cache(client);
        c.set("k", "v");
        client.close();
        client.close();
        assertThatThrownBy(() -> c.get("k")).isInstanceOf(CacheMeshUnavailableException.class).hasMessage("this client is closed");
        assertThatThrownBy(() -> c.set("k", "w")).isInstanceOf(CacheMeshUnavailableException.class);
        assertThatThrownBy(() -> c.getOr("k", k -> "w")).isInstanceOf(CacheMeshUnavailableException.class);
        assertThatThrownBy(() -> c.getOrAsync("k", k -> CompletableFuture.completedFuture("w")).toCompletableFuture().get(5, TimeUnit.SECONDS))
                .cause().isInstanceOf(CacheMeshUnavailableException.class);
        assertThatThrownBy(() -> c.deleteAsync("k").toCompletableFuture().get(5, TimeUnit.SECONDS)).cause().isInstanceOf(CacheMeshUnavailableException.class);
    }

    /** A client that nobody has used has no threads, and none to end. */
    @Test
    void anUnusedClientCostsNothing() {
        Set<Thread> before = lettuceThreads();
        CacheMeshClient client = member.client();
        cache(client);
        assertThat(lettuceThreads()).isSubsetOf(before);
        client.close();
        assertThatThrownBy(client::ping).isInstanceOf(CacheMeshUnavailableException.class).hasMessage("this client is closed");
        assertThat(lettuceThreads()).isSubsetOf(before);
    }

    private static Set<Thread> lettuceThreads() {
        return Thread.getAllStackTraces().keySet().stream().filter(t -> t.getName().startsWith("lettuce")).collect(Collectors.toSet());
    }

    /** All in the line for connections are told, however long it is. */
    @Test
    void aLongLineWhenTheMemberIsGone() {
        AtomicReference<MemberAddress> address = new AtomicReference<>(member.address);
        Connections connections = new Connections(ClientOptions.builder(() -> {
            MemberAddress at = address.get();
            if (at == null) {
                throw new IllegalStateException("there is no member now");
            }
            return at;
        }).build());
        WaitPool pool = new WaitPool(connections, 1);
        var only = pool.acquire().join();
        List<CompletableFuture<?>> line = new ArrayList<>();
        for (int i = 0; i < 50_000; i++) {
            line.add(pool.acquire());
        }
        address.set(null);
        only.close();
        pool.release(only);
        assertThat(line).allMatch(CompletableFuture::isCompletedExceptionally);
        address.set(member.address);
        assertThat(pool.acquire().join().isOpen()).isTrue();
        connections.close();
    }
}
