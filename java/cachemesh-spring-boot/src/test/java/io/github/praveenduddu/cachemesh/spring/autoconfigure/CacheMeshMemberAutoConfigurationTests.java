package io.github.praveenduddu.cachemesh.spring.autoconfigure;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;

import io.github.praveenduddu.cachemesh.client.CacheMeshClient;
import io.github.praveenduddu.cachemesh.client.MemberAddress;
import io.github.praveenduddu.cachemesh.member.CacheMeshMember;
import io.github.praveenduddu.cachemesh.member.MemberHealth;
import io.github.praveenduddu.cachemesh.member.MemberListener;
import io.github.praveenduddu.cachemesh.member.MemberOptions;
import io.github.praveenduddu.cachemesh.member.MemberState;
import io.github.praveenduddu.cachemesh.member.ReadyMember;
import io.github.praveenduddu.cachemesh.spring.memory.InMemoryCacheMeshClient;
import org.junit.jupiter.api.Test;

import org.springframework.aot.hint.RuntimeHints;
import org.springframework.aot.hint.predicate.RuntimeHintsPredicates;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.web.server.context.WebServerApplicationContext;
import org.springframework.cache.interceptor.SimpleKey;
import org.springframework.mock.env.MockEnvironment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class CacheMeshMemberAutoConfigurationTests {

    private final ApplicationContextRunner runner = new ApplicationContextRunner()
        .withConfiguration(AutoConfigurations.of(CacheMeshMemberAutoConfiguration.class));

    @Test
    void noMemberIsInMemory() {
        this.runner.withPropertyValues("cachemesh.member.mode=none")
            .run((context) -> assertThat(context).hasSingleBean(InMemoryCacheMeshClient.class)
                .doesNotHaveBean(CacheMeshMember.class).doesNotHaveBean(CacheMeshConnectionDetails.class));
    }

    @Test
    void anExternalMemberIsWhereThePropertiesSay() {
        this.runner.withPropertyValues("cachemesh.member.mode=external", "cachemesh.client.address=[::1]:6379", "cachemesh.client.password=secret")
            .run((context) -> {
                assertThat(context).hasSingleBean(CacheMeshClient.class).doesNotHaveBean(CacheMeshMember.class)
                    .doesNotHaveBean(CacheMeshMemberLifecycle.class);
                assertThat(context.getBean(CacheMeshConnectionDetails.class).getAddress())
                    .isEqualTo(MemberAddress.of("::1", 6379, "secret"));
            });
        this.runner.withPropertyValues("cachemesh.member.mode=external", "cachemesh.client.address=unix:/run/cachemesh/redis")
            .run((context) -> assertThat(context.getBean(CacheMeshConnectionDetails.class).getAddress())
                .isEqualTo(MemberAddress.ofSocket("/run/cachemesh/redis", null)));
    }

    @Test
    void anAddressThatIsNoneIsSaidInPlainWords() {
        for (String address : List.of("", "localhost", "unix:", ":1", "a:x", "a:0", "a:65536")) {
            this.runner.withPropertyValues("cachemesh.member.mode=external", "cachemesh.client.address=" + address)
                .run((context) -> assertThat(context).getFailure().rootCause().isInstanceOf(InvalidAddressException.class)
                    .hasMessage(address.isEmpty()
                            ? "cachemesh.member.mode is external, but cachemesh.client.address does not say where the member is."
                            : "cachemesh.client.address is \"" + address + "\", which is neither host:port nor unix:/path."));
        }
    }

    @Test
    void aModeThatIsNoneIsSaidInPlainWords() {
        this.runner.withPropertyValues("cachemesh.member.mode=embeded").run((context) -> assertThat(context).getFailure()
            .rootCause().hasMessageContaining("No enum constant").hasMessageContaining("Mode.embeded"));
    }

    @Test
    void connectionDetailsTakeThePlaceOfTheMember() {
        this.runner.withBean(CacheMeshConnectionDetails.class, () -> () -> MemberAddress.of("there", 1, null))
            .run((context) -> assertThat(context).hasSingleBean(CacheMeshConnectionDetails.class).hasSingleBean(CacheMeshClient.class)
                .doesNotHaveBean(CacheMeshMember.class));
    }

    /** Threads of the common pool have the system's class loader, which knows nothing of an application in one jar. */
    @Test
    void loadersRunWithTheClassLoaderOfTheApplication() {
        ClassLoader application = new ClassLoader(getClass().getClassLoader()) {
        };
        List<Executor> executors = new ArrayList<>();
        this.runner.withClassLoader(application).withPropertyValues("cachemesh.member.mode=external", "cachemesh.client.address=there:1")
            .withBean(CacheMeshClientCustomizer.class, () -> (builder) -> executors.add(builder.build().executor()))
            .run((context) -> assertThat(context).hasSingleBean(CacheMeshClient.class));
        assertThat(CompletableFuture.supplyAsync(() -> Thread.currentThread().getContextClassLoader(), executors.get(0)).join())
            .isSameAs(application);
        ClassLoader former = Thread.currentThread().getContextClassLoader();
        List<ClassLoader> seen = new ArrayList<>();
        assertThatThrownBy(() -> new ApplicationExecutor(Runnable::run, application).execute(() -> {
            seen.add(Thread.currentThread().getContextClassLoader());
            throw new IllegalStateException("broken");
        })).hasMessage("broken");
        assertThat(seen).containsExactly(application);
        assertThat(Thread.currentThread().getContextClassLoader()).isSameAs(former);
    }

    @Test
    void aClientOfTheApplicationTakesThePlaceOfAll() {
        this.runner.withBean(CacheMeshClient.class, InMemoryCacheMeshClient::new)
            .run((context) -> assertThat(context).hasSingleBean(CacheMeshClient.class)
                .doesNotHaveBean(CacheMeshConnectionDetails.class).doesNotHaveBean(CacheMeshMember.class));
    }

    @Test
    void itIsOffWhenSwitchedOffOrCachesAreElsewhereOrClassesAreMissing() {
        this.runner.withPropertyValues("cachemesh.enabled=false")
            .run((context) -> assertThat(context).doesNotHaveBean(CacheMeshClient.class));
        this.runner.withPropertyValues("spring.cache.type=redis")
            .run((context) -> assertThat(context).doesNotHaveBean(CacheMeshClient.class));
        for (Class<?> missing : List.of(CacheMeshClient.class, CacheMeshMember.class)) {
            this.runner.withClassLoader(new FilteredClassLoader(missing))
                .run((context) -> assertThat(context).hasNotFailed().doesNotHaveBean("cacheMeshClient"));
        }
    }

    @Test
    void aMemberOfTheApplicationIsStoppedAndStartedWithTheContextAsOftenAsThat() {
        CountingMember member = new CountingMember();
        this.runner.withBean(CacheMeshMember.class, () -> member).run((context) -> {
            assertThat(context.getBean(CacheMeshConnectionDetails.class).getAddress())
                .isEqualTo(MemberAddress.of("127.0.0.1", 7, "pass"));
            CacheMeshMemberLifecycle lifecycle = context.getBean(CacheMeshMemberLifecycle.class);
            assertThat(lifecycle.isRunning()).isTrue();
            for (int i = 0; i < 3; i++) {
                context.getSourceApplicationContext().stop();
                assertThat(lifecycle.isRunning()).isFalse();
                context.getSourceApplicationContext().start();
                assertThat(lifecycle.isRunning()).isTrue();
            }
        });
        assertThat(member.events).containsExactly("start", "stop", "start", "stop", "start", "stop", "start", "stop", "close");
    }

    @Test
    void theMemberStopsAfterTheWebServer() {
        assertThat(CacheMeshMemberLifecycle.PHASE).isLessThan(WebServerApplicationContext.START_STOP_LIFECYCLE_PHASE)
            .isLessThan(WebServerApplicationContext.GRACEFUL_SHUTDOWN_PHASE);
    }

    private static MemberOptions options(MockEnvironment environment) {
        return MemberSettings.of(Binder.get(environment).bindOrCreate("cachemesh", CacheMeshProperties.class), environment);
    }

    @Test
    void withoutPropertiesTheMemberIsForThisMachineAlone() {
        MemberOptions options = options(new MockEnvironment());
        assertThat(options.isExternal()).isFalse();
        assertThat(options.mesh()).isEqualTo("cachemesh");
        assertThat(options.listen()).isEqualTo("127.0.0.1:0");
        assertThat(options.findLocalMembers()).isTrue();
        assertThat(options.groups()).isEmpty();
        assertThat(options.maxGroups()).isEqualTo(64);
    }

    @Test
    void propertiesReachTheMember() {
        MemberOptions options = options(new MockEnvironment().withProperty("spring.application.name", "shop")
            .withProperty("cachemesh.bootstrap-nodes", "cache.internal:3000,10.0.0.1:3000")
            .withProperty("cachemesh.secret", "0123456789abcdef")
            .withProperty("cachemesh.max-bytes", "64MB")
            .withProperty("cachemesh.defaults.ttl", "1m")
            .withProperty("cachemesh.defaults.max-bytes", "2MB")
            .withProperty("cachemesh.caches.books.stale-for", "10s")
            .withProperty("cachemesh.caches.books.max-bytes", "8MB")
            .withProperty("cachemesh.caches[a.b].ttl", "2m")
            .withProperty("cachemesh.member.require-join", "true")
            .withProperty("cachemesh.member.settings.log-level", "debug"));
        assertThat(options.mesh()).isEqualTo("shop");
        assertThat(options.listen()).isEqualTo(":3000");
        assertThat(options.bootstrapNodes()).containsExactly("cache.internal:3000", "10.0.0.1:3000");
        assertThat(options.secret()).isEqualTo("0123456789abcdef");
        assertThat(options.totalBytes()).isEqualTo(64 << 20);
        assertThat(options.groupBytes()).isEqualTo(2 << 20);
        assertThat(options.groups()).extracting("name").containsExactlyInAnyOrder("books", "a.b");
        assertThat(options.groups().stream().filter((g) -> g.name().equals("books")).findFirst()).hasValueSatisfying((group) -> {
            assertThat(group.ttl()).hasMinutes(1);
            assertThat(group.staleFor()).hasSeconds(10);
            assertThat(group.maxBytes()).isEqualTo(8 << 20);
        });
        assertThat(options.settings()).containsEntry("require-join", "true").containsEntry("log-level", "debug")
            .containsEntry("other-groups-ttl", "60000ms");
    }

    @Test
    void nodesOnThisMachineNeedNoOpenPort() {
        for (String here : List.of("127.0.0.1:3000", "localhost:3000", "[::1]:3000", ":3000")) {
            assertThat(options(new MockEnvironment().withProperty("cachemesh.bootstrap-nodes", here)).listen()).as(here).isEqualTo("127.0.0.1:0");
        }
        for (String elsewhere : List.of("10.0.0.1:3000", "cache:3000", "[fd00::1]:3000")) {
            assertThat(options(new MockEnvironment().withProperty("cachemesh.bootstrap-nodes", elsewhere)).listen()).as(elsewhere).isEqualTo(":3000");
        }
    }

    @Test
    void secretsAreNotSaid() {
        CacheMeshProperties properties = Binder.get(new MockEnvironment().withProperty("cachemesh.secret", "verysecretsecret")
            .withProperty("cachemesh.client.password", "verysecretpassword")).bindOrCreate("cachemesh", CacheMeshProperties.class);
        assertThat(properties.toString() + properties.client()).doesNotContain("verysecret");
    }

    @Test
    void nativeImagesKeepTheProgramAndTheKeys() {
        RuntimeHints hints = new RuntimeHints();
        new CacheMeshRuntimeHints().registerHints(hints, getClass().getClassLoader());
        for (String target : List.of("linux-amd64/cachemesh", "linux-amd64/cachemesh.sha256", "windows-amd64/cachemesh.exe")) {
            assertThat(RuntimeHintsPredicates.resource().forResource("META-INF/cachemesh/" + target)).accepts(hints);
        }
        assertThat(RuntimeHintsPredicates.reflection().onFieldAccess(SimpleKey.class, "params")).accepts(hints);
    }

    /** A member that only counts. */
    static class CountingMember implements CacheMeshMember {

        final List<String> events = new ArrayList<>();

        private MemberState state = MemberState.STOPPED;

        @Override
        public void start() {
            this.events.add("start");
            this.state = MemberState.READY;
        }

        @Override
        public void stop() {
            this.events.add("stop");
            this.state = MemberState.STOPPED;
        }

        @Override
        public void restart() {
            this.events.add("restart");
        }

        @Override
        public ReadyMember current() {
            return new ReadyMember("127.0.0.1", 7, null, "pass", "m", "", null, null, "v", 1, 1);
        }

        @Override
        public MemberHealth health() {
            return new MemberHealth(this.state, Instant.EPOCH, null, 0, 1);
        }

        @Override
        public void addListener(MemberListener listener) {
        }

        @Override
        public void removeListener(MemberListener listener) {
        }

        @Override
        public void close() {
            this.events.add("close");
        }
    }
}
