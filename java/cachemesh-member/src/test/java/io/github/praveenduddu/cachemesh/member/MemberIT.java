package io.github.praveenduddu.cachemesh.member;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.praveenduddu.cachemesh.client.CacheEntry;
import io.github.praveenduddu.cachemesh.client.CacheMeshClient;
import io.github.praveenduddu.cachemesh.client.CacheOptions;
import io.github.praveenduddu.cachemesh.client.MeshCache;
import io.github.praveenduddu.cachemesh.client.Serializer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A member's life beside this JVM. */
class MemberIT {

    @TempDir
    Path temp;

    MemberOptions.Builder options() {
        return MemberOptions.managed().binary(Kit.program()).folder(temp.resolve("folder"));
    }

    static MeshCache<String, String> cache(CacheMeshClient c, String name) {
        return c.cache(name, Serializer.utf8(), CacheOptions.DEFAULT);
    }

    @Test
    void startsAndStopsAnyNumberOfTimes() {
        try (CacheMeshMember m = CacheMeshMember.create(options().build()); CacheMeshClient c = Kit.client(m)) {
            assertThat(m.health().state()).isEqualTo(MemberState.STOPPED);
            List<Long> took = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                long begin = System.nanoTime();
                m.start();
                took.add(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begin));
                m.start(); // it runs: nothing is done
                ReadyMember r = m.current();
                assertThat(r.toString()).doesNotContain(String.valueOf(r.password()));
                assertThat(m.health().up()).isTrue();
                assertThat(m.health().pid()).isEqualTo(r.pid());
                cache(c, "cache").set("k" + i, "v");
                assertThat(cache(c, "cache").get("k" + i)).isEqualTo(new CacheEntry<>("v"));
                m.stop();
                m.stop();
                assertThat(Kit.gone(r.pid())).isTrue();
                assertThat(m.health().state()).isEqualTo(MemberState.STOPPED);
                assertThatThrownBy(m::current).isInstanceOf(MemberException.class).hasMessage("there is no member now: it was stopped");
            }
            took.sort(null);
            System.out.println("member: start to ready, ms, sorted: " + took);
            assertThat(took.get(2)).isLessThan(2_000);
        }
    }

    @Test
    void aChildThatDiesIsStartedAgain() throws Exception {
        LinkedBlockingQueue<String> told = new LinkedBlockingQueue<>();
        MemberListener listener = new MemberListener() {
            @Override
            public void ready(ReadyMember r) {
                told.add("ready " + r.pid());
            }

            @Override
            public void lost(String reason) {
                told.add("lost " + reason);
            }

            @Override
            public void stopped() {
                told.add("stopped");
            }
        };
        try (CacheMeshMember m = CacheMeshMember.create(options().build()); CacheMeshClient c = Kit.client(m)) {
            m.addListener(listener);
            m.start();
            ReadyMember first = m.current();
            assertThat(told.poll(5, TimeUnit.SECONDS)).isEqualTo("ready " + first.pid());
            cache(c, "cache").set("k", "v");
            for (int i = 1; i <= 2; i++) {
                long pid = m.current().pid();
                Kit.kill(pid);
                assertThat(told.poll(5, TimeUnit.SECONDS)).startsWith("lost the member's process " + pid + " ended with 137");
                String ready = told.poll(10, TimeUnit.SECONDS);
                ReadyMember again = m.current();
                assertThat(ready).isEqualTo("ready " + again.pid());
                assertThat(again.name()).isEqualTo(first.name());
                assertThat(again.meshAddress()).isEqualTo(first.meshAddress());
                assertThat(m.health().restarts()).isEqualTo(i);
                cache(c, "cache").set("k", "again");
                assertThat(cache(c, "cache").get("k")).isEqualTo(new CacheEntry<>("again"));
            }
            m.stop();
            assertThat(told.poll(5, TimeUnit.SECONDS)).isEqualTo("stopped");
        }
    }

    /** Members on one machine find each other by their folder, and one that was killed is back under its name. */
    @Test
    void membersOnOneMachineFindEachOther() throws Exception {
        List<CacheMeshMember> all = new ArrayList<>();
        List<CacheMeshClient> clients = new ArrayList<>();
        try {
            for (int i = 0; i < 3; i++) {
                all.add(CacheMeshMember.create(options().build()));
                clients.add(Kit.client(all.get(i)));
            }
            all.parallelStream().forEach(CacheMeshMember::start);
            for (CacheMeshClient c : clients) {
                Kit.until("the three are one mesh", Duration.ofSeconds(20), () -> c.info().members().size() == 3 && c.info().settled());
            }
            cache(clients.get(0), "cache").set("k", "v");
            assertThat(cache(clients.get(1), "cache").get("k")).isEqualTo(new CacheEntry<>("v"));
            Kit.kill(all.get(2).current().pid());
            Kit.until("it is back", Duration.ofSeconds(20), () -> all.get(2).health().restarts() == 1 && all.get(2).health().up());
            for (CacheMeshClient c : clients) {
                Kit.until("the three are one mesh again", Duration.ofSeconds(20), () -> c.info().members().size() == 3 && c.info().settled());
            }
            try (CacheMeshMember other = CacheMeshMember.create(options().mesh("another").build()); CacheMeshClient c = Kit.client(other)) {
                other.start();
                assertThat(c.info().members()).hasSize(1);
            }
        } finally {
            clients.forEach(CacheMeshClient::close);
            all.forEach(CacheMeshMember::close);
        }
    }

    @Test
    void groupsAndSettings() throws Exception {
        String odd = "a \"b\": {c} # é\n";
        MemberOptions o = options().name("me").mesh("shop").secret("0123456789abcdef").httpPort(0).maxGroups(0).groups(List.of(
                new GroupOptions(odd, 2L << 20, Duration.ofMillis(1_500), Duration.ofSeconds(1), Duration.ofMinutes(1)),
                GroupOptions.of("plain"))).settings(java.util.Map.of("max-value-bytes", "1MiB")).build();
        try (CacheMeshMember m = CacheMeshMember.create(o); CacheMeshClient c = Kit.client(m)) {
            m.start();
            assertThat(m.current().name()).isEqualTo("me");
            assertThat(m.current().httpAddress()).startsWith("127.0.0.1:");
            assertThat(c.info().groups()).containsExactlyInAnyOrder("default", "plain", odd);
            assertThat(c.stats(odd).maxBytes()).isEqualTo(2 << 20);
            assertThat(c.stats("plain").maxBytes()).isEqualTo(16 << 20);
            assertThatThrownBy(() -> cache(c, "new").get("k")).hasMessageContaining("no such group");
            List<String> left = new ArrayList<>();
            try (var files = Files.list(temp.resolve("folder"))) {
                files.forEach(f -> left.add(f.getFileName().toString()));
            }
            assertThat(left).noneMatch(f -> f.endsWith(".yaml"));
        }
    }

    /** It is so many bytes that every service pays. */
    @Test
    void takesLittleMemory() throws IOException {
        try (CacheMeshMember m = CacheMeshMember.create(options().build()); CacheMeshClient c = Kit.client(m)) {
            m.start();
            for (int i = 0; i < 2_000; i++) {
                cache(c, "cache").set("k" + i, "v".repeat(100));
            }
            String rss = Files.readAllLines(Path.of("/proc/" + m.current().pid() + "/status")).stream()
                    .filter(l -> l.startsWith("VmRSS")).findFirst().orElseThrow().replaceAll("[^0-9]", "");
            System.out.println("member: resident after 2000 sets, KiB: " + rss);
            assertThat(Long.parseLong(rss)).isLessThan(35 << 10);
        }
    }

    @Test
    void aMemberThatRunsAlready() throws Exception {
        try (CacheMeshMember sidecar = CacheMeshMember.create(options().build())) {
            sidecar.start();
            ReadyMember at = sidecar.current();
            try (CacheMeshMember m = CacheMeshMember.create(MemberOptions.external(at.host(), at.port(), at.password()).build());
                    CacheMeshClient c = Kit.client(m)) {
                m.addListener(new MemberListener() {
                    @Override
                    public void ready(ReadyMember r) {
                        throw new NoClassDefFoundError("a listener's");
                    }
                });
                m.start();
                assertThat(m.health().up()).isTrue();
                assertThat(m.current().version()).isEqualTo(at.version());
                c.ping();
                m.stop();
                m.start();
                MemberOptions.Builder wrong = MemberOptions.external(at.host(), at.port(), "wrong");
                assertThatThrownBy(() -> CacheMeshMember.create(wrong.build()).start()).isInstanceOf(ExternalMemberException.class)
                        .hasMessage("the member at 127.0.0.1:" + at.port() + " does not take the password");
                MemberOptions.Builder none = MemberOptions.external(at.host(), at.port(), null);
                assertThatThrownBy(() -> CacheMeshMember.create(none.build()).start()).isInstanceOf(ExternalMemberException.class)
                        .hasMessage("the member at 127.0.0.1:" + at.port() + " asks for a password, and none is set");
                sidecar.stop();
                assertThat(m.health().up()).isFalse();
                assertThat(m.health().reason()).startsWith("the member at 127.0.0.1:" + at.port() + " does not answer: ");
                assertThatThrownBy(() -> CacheMeshMember.create(none.startTimeout(Duration.ofMillis(300)).build()).start())
                        .isInstanceOf(ExternalMemberException.class).hasMessageContaining("cannot be reached").hasMessageContaining("it must run already");
            }
        }
    }
}
