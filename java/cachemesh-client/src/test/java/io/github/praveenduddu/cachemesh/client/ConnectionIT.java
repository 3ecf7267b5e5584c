package io.github.praveenduddu.cachemesh.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** What becomes of operations when the member is gone, hangs, comes back, or is none. */
class ConnectionIT {

    static MeshCache<String, String> cache(CacheMeshClient c) {
        return c.cache("cache", Serializer.utf8(), CacheOptions.DEFAULT);
    }

    @Test
    void aMemberThatIsGoneAndComesBackElsewhere() throws Exception {
        RunningMember first = RunningMember.start(List.of());
        AtomicReference<MemberAddress> address = new AtomicReference<>(first.address);
        try (CacheMeshClient client = CacheMeshClient.create(ClientOptions.builder(address::get).build())) {
            MeshCache<String, String> c = cache(client);
            c.set("k", "v");
            CountDownLatch begun = new CountDownLatch(1);
            CountDownLatch end = new CountDownLatch(1);
            CompletableFuture<String> loads = CompletableFuture.supplyAsync(() -> c.getOr("loaded", k -> {
                begun.countDown();
                end.await();
                return "w";
            }), task -> new Thread(task).start());
            begun.await();
            first.kill();
            long from = System.nanoTime();
            assertThatThrownBy(() -> c.get("k")).isInstanceOf(CacheMeshUnavailableException.class); // the connection breaks, or is broken
            RunningMember.until("the connection is known to be broken", () -> !client.clientStats().connected());
            assertThatThrownBy(() -> c.get("k")).isInstanceOf(CacheMeshUnavailableException.class).hasMessageContaining("Connection refused").hasMessageContaining(first.address.toString());
            assertThatThrownBy(() -> c.getOr("k", k -> "not called")).isInstanceOf(CacheMeshUnavailableException.class);
            assertThatThrownBy(() -> c.getAsync("k").toCompletableFuture().get(5, TimeUnit.SECONDS)).cause().isInstanceOf(CacheMeshUnavailableException.class);
            assertThat(Duration.ofNanos(System.nanoTime() - from)).isLessThan(Duration.ofSeconds(3));
            assertThat(client.clientStats().connected()).isFalse();
            end.countDown();
            assertThat(loads.get(10, TimeUnit.SECONDS)).isEqualTo("w"); // it was loaded, though nobody keeps it
            try (RunningMember second = RunningMember.start(List.of())) {
                address.set(second.address);
                assertThat(c.get("k")).isNull();
                c.set("k", "again");
                assertThat(c.get("k")).isEqualTo(new CacheEntry<>("again"));
                assertThat(c.getOr("loaded", k -> "x")).isEqualTo("x");
                assertThat(client.clientStats().connects()).isEqualTo(2);
            }
        } finally {
            first.kill();
        }
    }

    /** Failures that come at once are no deep recursion, however many callers of one key there are. */
    @Test
    void manyCallersOfAMemberThatIsGone() throws Exception {
        try (CacheMeshClient client = CacheMeshClient.create(ClientOptions.builder(() -> {
            throw new IllegalStateException("gone");
        }).build())) {
            MeshCache<String, String> c = cache(client);
            CompletableFuture<?>[] callers = new CompletableFuture<?>[32];
            long end = System.nanoTime() + Duration.ofMillis(500).toNanos();
            for (int i = 0; i < callers.length; i++) {
                callers[i] = CompletableFuture.runAsync(() -> {
                    while (System.nanoTime() - end < 0) {
                        assertThatThrownBy(() -> c.getOr("hot", k -> "not called")).isExactlyInstanceOf(CacheMeshUnavailableException.class);
                        assertThatThrownBy(() -> c.getOrAsync("hot", k -> null).toCompletableFuture().join()).cause().isExactlyInstanceOf(CacheMeshUnavailableException.class);
                    }
                }, task -> new Thread(task).start());
            }
            CompletableFuture.allOf(callers).get(20, TimeUnit.SECONDS);
            assertThat(client.clientStats().loads()).isZero();
        }
    }

    @Test
    void operationsUnderWayFailWhenTheMemberDies() throws Exception {
        try (RunningMember member = RunningMember.start(List.of()); CacheMeshClient client = member.client()) {
            MeshCache<String, String> c = cache(client);
            c.set("k", "v");
            member.stop();
            List<CompletableFuture<CacheEntry<String>>> asked = java.util.stream.IntStream.range(0, 100)
                    .mapToObj(i -> c.getAsync("k").toCompletableFuture()).toList();
            CompletableFuture<String> load = c.getOrAsync("l", k -> CompletableFuture.completedFuture("w")).toCompletableFuture();
            member.kill();
            for (CompletableFuture<?> f : asked) {
                assertThatThrownBy(() -> f.get(4, TimeUnit.SECONDS)).cause().isInstanceOf(CacheMeshUnavailableException.class);
            }
            assertThatThrownBy(() -> load.get(4, TimeUnit.SECONDS)).cause().isInstanceOf(CacheMeshUnavailableException.class);
        }
    }

    @Test
    void aMemberThatHangsIsNotWaitedFor() throws Exception {
        try (RunningMember member = RunningMember.start(List.of());
                CacheMeshClient client = CacheMeshClient.create(ClientOptions.builder(member.address).timeout(Duration.ofSeconds(1)).build())) {
            MeshCache<String, String> c = cache(client);
            c.set("k", "v");
            member.stop();
            assertThatThrownBy(() -> c.get("k")).isInstanceOf(CacheMeshTimeoutException.class).hasMessage("the member did not answer within PT1S");
            assertThatThrownBy(() -> c.getAsync("k").toCompletableFuture().get(5, TimeUnit.SECONDS)).cause().isInstanceOf(CacheMeshException.class);
            assertThatThrownBy(() -> c.getOr("k", k -> "w")).isInstanceOf(CacheMeshException.class);
            member.signal("CONT");
            RunningMember.until("it answers again", () -> {
                try {
                    return c.get("k") != null;
                } catch (CacheMeshException e) {
                    return false;
                }
            });
        }
    }

    @Test
    void whatIsNoMemberIsToldApart() throws Exception {
        assertThatThrownBy(() -> pingServer("-ERR unknown command 'HELLO', with args beginning with: \r\n"))
                .isInstanceOf(CacheMeshProtocolException.class).hasMessageContaining("is no member of CacheMesh");
        try (ServerSocket gone = new ServerSocket(0)) {
            int port = gone.getLocalPort();
            gone.close();
            try (CacheMeshClient client = CacheMeshClient.create(ClientOptions.builder(MemberAddress.of("127.0.0.1", port, null)).build())) {
                assertThatThrownBy(client::ping).isInstanceOf(CacheMeshUnavailableException.class)
                        .hasMessageContaining("the member at 127.0.0.1:" + port + " cannot be reached");
            }
        }
        try (CacheMeshClient client = CacheMeshClient.create(ClientOptions.builder(() -> {
            throw new IllegalStateException("the member is being started again");
        }).build())) {
            assertThatThrownBy(client::ping).isInstanceOf(CacheMeshUnavailableException.class).hasMessage("there is no member now: the member is being started again");
        }
        CacheMeshClient closed = CacheMeshClient.create(ClientOptions.builder(MemberAddress.of("127.0.0.1", 1, null)).build());
        closed.close();
        assertThatThrownBy(closed::ping).isInstanceOf(CacheMeshUnavailableException.class).hasMessage("this client is closed");
    }

    /** Pings a server that answers all with one line. */
    private static void pingServer(String answer) throws IOException {
        try (ServerSocket server = new ServerSocket(0)) {
            Thread t = new Thread(() -> {
                try (Socket s = server.accept()) {
                    byte[] buffer = new byte[4096];
                    while (s.getInputStream().read(buffer) > 0) {
                        s.getOutputStream().write(answer.getBytes(StandardCharsets.UTF_8));
                    }
                } catch (IOException e) {
                    // the client has gone
                }
            });
            t.start();
            try (CacheMeshClient client = CacheMeshClient.create(ClientOptions.builder(MemberAddress.of("127.0.0.1", server.getLocalPort(), null)).build())) {
                client.ping();
            }
        }
    }

    @Test
    void aUnixSocketNeedsTheNativeTransportAndSaysSo() {
        MemberAddress at = MemberAddress.ofSocket("/nowhere/redis", null);
        try (CacheMeshClient client = CacheMeshClient.create(ClientOptions.builder(at).build())) {
            assertThatThrownBy(client::ping).isInstanceOf(CacheMeshUnavailableException.class).hasMessageContaining("the member at /nowhere/redis cannot be reached");
        }
    }
}
