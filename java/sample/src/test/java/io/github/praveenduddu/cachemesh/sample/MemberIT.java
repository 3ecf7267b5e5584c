package io.github.praveenduddu.cachemesh.sample;

import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;

import io.github.praveenduddu.cachemesh.member.CacheMeshMember;
import io.github.praveenduddu.cachemesh.spring.cache.CacheMeshCacheManager;
import jakarta.annotation.PostConstruct;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.cache.Cache;
import org.springframework.cache.CacheManager;
import org.springframework.cache.annotation.Cacheable;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** An application and the member that it starts, from the program in the jars. */
@Timeout(120)
@ExtendWith(OutputCaptureExtension.class)
class MemberIT {

    static class Early {

        private final CacheManager manager;

        private final AtomicInteger calls = new AtomicInteger();

        Early(CacheManager manager) {
            this.manager = manager;
        }

        @PostConstruct
        void fill() {
            cache(this.manager).put("early", "there");
        }

        @Cacheable(cacheNames = "numbers", sync = true)
        public int number(String key) {
            return this.calls.incrementAndGet();
        }
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    @Import(Early.class)
    static class Application {
    }

    private static Cache cache(CacheManager manager) {
        Cache cache = manager.getCache("any");
        assertThat(cache).isInstanceOf(io.github.praveenduddu.cachemesh.spring.cache.CacheMeshCache.class);
        return cache;
    }

    private static ConfigurableApplicationContext run(String... more) {
        SpringApplication application = new SpringApplication(Application.class);
        application.setWebApplicationType(WebApplicationType.NONE);
        String[] all = new String[more.length + 2];
        all[0] = "--cachemesh.mesh=member-it-" + ProcessHandle.current().pid();
        all[1] = "--spring.datasource.url=jdbc:h2:mem:member;MODE=PostgreSQL";
        System.arraycopy(more, 0, all, 2, more.length);
        return application.run(all);
    }

    @Test
    void aContextThatIsPausedStopsItsMemberAndStartsItAgainAsOftenAsThat() {
        try (ConfigurableApplicationContext context = run()) {
            CacheMeshCacheManager manager = context.getBean(CacheMeshCacheManager.class);
            assertThat(cache(manager).get("early", String.class)).isEqualTo("there");
            CacheMeshMember member = context.getBean(CacheMeshMember.class);
            for (int i = 0; i < 3; i++) {
                long pid = member.current().pid();
                context.stop();
                assertThat(ProcessHandle.of(pid).filter(ProcessHandle::isAlive)).isEmpty();
                context.start();
                cache(manager).put("again", i);
                assertThat(cache(manager).get("again", Integer.class)).isEqualTo(i);
                assertThat(member.current().pid()).isNotEqualTo(pid);
            }
        }
    }

    @Test
    void closingTheContextEndsTheMember() {
        long pid;
        try (ConfigurableApplicationContext context = run()) {
            pid = context.getBean(CacheMeshMember.class).current().pid();
            Early early = context.getBean(Early.class);
            assertThat(early.number("a")).isEqualTo(early.number("a"));
        }
        assertThat(ProcessHandle.of(pid).filter(ProcessHandle::isAlive)).isEmpty();
    }

    @Test
    void twoContextsFindEachOther() {
        try (ConfigurableApplicationContext one = run(); ConfigurableApplicationContext two = run()) {
            cache(one.getBean(CacheManager.class)).put("shared", "by one");
            assertThat(cache(two.getBean(CacheManager.class)).get("shared", String.class)).isEqualTo("by one");
            cache(two.getBean(CacheManager.class)).evict("shared");
            assertThat(cache(one.getBean(CacheManager.class)).get("shared")).isNull();
        }
    }

    @Test
    void aTakenPortIsSaidInPlainWords(CapturedOutput output) throws Exception {
        try (ServerSocket taken = new ServerSocket(0)) {
            assertThatThrownBy(() -> run("--cachemesh.member.listen=127.0.0.1:" + taken.getLocalPort())).isInstanceOf(Exception.class);
            assertThat(output).contains("APPLICATION FAILED TO START",
                    "The member of the mesh beside this application did not start: ", String.valueOf(taken.getLocalPort()),
                    "Set cachemesh.member.listen to a port that is free");
        }
    }

    @Test
    void aProgramThatIsNoneIsSaidInPlainWords(CapturedOutput output, @TempDir Path folder) throws Exception {
        Path program = folder.resolve("cachemesh");
        Files.writeString(program, "#!/bin/sh\necho not me\nexit 3\n");
        assertThat(program.toFile().setExecutable(true)).isTrue();
        assertThatThrownBy(() -> run("--cachemesh.member.binary=" + program)).isInstanceOf(Exception.class);
        assertThat(output).contains("APPLICATION FAILED TO START", "The member of the mesh beside this application did not start: ",
                "To run without it for now, set cachemesh.enabled=false");
    }

    @Test
    void anExternalMemberIsUsed() {
        try (ConfigurableApplicationContext one = run()) {
            var ready = one.getBean(CacheMeshMember.class).current();
            try (ConfigurableApplicationContext two = run("--cachemesh.member.mode=external",
                    "--cachemesh.client.address=" + ready.host() + ":" + ready.port(), "--cachemesh.client.password=" + ready.password())) {
                assertThat(two.getBeanProvider(CacheMeshMember.class).getIfAvailable()).isNull();
                cache(two.getBean(CacheManager.class)).put("external", 1L);
                assertThat(cache(one.getBean(CacheManager.class)).get("external", Long.class)).isEqualTo(1L);
            }
        }
    }
}
