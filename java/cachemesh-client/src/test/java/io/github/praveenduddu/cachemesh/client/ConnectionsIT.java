package io.github.praveenduddu.cachemesh.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.turbo.TurboFilter;
import ch.qos.logback.core.spi.FilterReply;
import io.lettuce.core.RedisClient;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.protocol.CommandArgs;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;
import org.slf4j.Marker;

/** Whom a connection that is being made keeps waiting. */
class ConnectionsIT {

    private static final Duration SHORT = Duration.ofMillis(200);

    static CompletableFuture<List<Object>> ask(Connections c) {
        return c.call(Command.MESH, Connections.array(), new CommandArgs<>(ByteArrayCodec.INSTANCE));
    }

    static List<CompletableFuture<List<Object>>> twenty(Connections c) {
        return IntStream.range(0, 20).mapToObj(i -> ask(c)).toList();
    }

    /** Returns an operation that waits for a try to connect, after two tries that failed. */
    static CompletableFuture<?> thirdTry(Connections c) {
        List<Throwable> failures = new ArrayList<>();
        AtomicReference<CompletableFuture<?>> third = new AtomicReference<>();
        RunningMember.until("it is tried for the third time", () -> {
            CompletableFuture<?> f = ask(c);
            if (!f.isDone() && failures.size() >= 2) {
                third.set(f);
                return true;
            }
            Throwable failure = Errors.unwrap(f.handle((v, e) -> e).join());
            if (failures.stream().noneMatch(known -> known == failure)) {
                failures.add(failure);
            }
            return false;
        });
        return third.get();
    }

    /** One operation at a time finds out whether a member that hung does no more; one that began elsewhere is waited for by all. */
    @Test
    void aMemberThatHangsKeepsOneWaiting() throws Exception {
        try (RunningMember hangs = RunningMember.start(List.of()); RunningMember other = RunningMember.start(List.of())) {
            AtomicReference<MemberAddress> address = new AtomicReference<>(hangs.address);
            Connections c = new Connections(ClientOptions.builder(address::get).timeout(SHORT).connectTimeout(SHORT).build());
            try {
                ask(c).get(10, TimeUnit.SECONDS);
                hangs.stop();
                c.suspect(System.nanoTime());
                RunningMember.until("the connection is known to be broken", () -> !c.connected());
                CompletableFuture<?> third = thirdTry(c);
                List<CompletableFuture<List<Object>>> asked = twenty(c);
                assertThat(asked.stream().filter(CompletableFuture::isCompletedExceptionally).count()).isGreaterThanOrEqualTo(19);
                assertThatThrownBy(() -> third.get(10, TimeUnit.SECONDS)).cause().isInstanceOf(CacheMeshException.class);
                address.set(other.address);
                for (CompletableFuture<List<Object>> f : twenty(c)) {
                    assertThat(f.get(10, TimeUnit.SECONDS)).isNotEmpty();
                }
            } finally {
                c.close();
                hangs.signal("CONT");
            }
        }
    }

    /** Whatever a try fails with, there is another. */
    @Test
    void anErrorWhileConnecting() throws Exception {
        LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
        context.addTurboFilter(new TurboFilter() {
            @Override
            public FilterReply decide(Marker marker, Logger logger, Level level, String format, Object[] params, Throwable t) {
                if (logger.getName().equals(RedisClient.class.getName())) {
                    throw new StackOverflowError();
                }
                return FilterReply.NEUTRAL;
            }
        });
        try (RunningMember member = RunningMember.start(List.of()); CacheMeshClient client = member.client()) {
            assertThatThrownBy(client::ping).isInstanceOf(CacheMeshUnavailableException.class)
                    .hasMessage("the member at " + member.address + " cannot be reached: StackOverflowError");
            context.resetTurboFilterList();
            RunningMember.until("it is tried again", () -> {
                try {
                    client.ping();
                    return true;
                } catch (CacheMeshUnavailableException e) {
                    return false;
                }
            });
        } finally {
            context.resetTurboFilterList();
        }
    }

    @Test
    void anAddressThatIsNone() {
        try (CacheMeshClient client = CacheMeshClient.create(ClientOptions.builder(MemberAddress.of("", 1, null)).timeout(SHORT).build())) {
            for (int i = 0; i < 2; i++) {
                assertThatThrownBy(client::ping).isInstanceOf(CacheMeshUnavailableException.class).hasMessageContaining("cannot be reached");
            }
        }
    }
}
