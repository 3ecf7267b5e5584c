package io.github.praveenduddu.cachemesh.member;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.turbo.TurboFilter;
import ch.qos.logback.core.spi.FilterReply;
import java.io.IOException;
import java.net.URL;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slf4j.LoggerFactory;
import org.slf4j.Marker;

/** Whatever fails in this JVM, a member that ends is started again, and one that was not started does not run. */
class WatchIT {

    private static final String READY =
            "echo '{\"event\":\"ready\",\"protocol\":1,\"version\":\"x\",\"name\":\"n\",\"mesh\":\"127.0.0.1:1\",\"redis\":\"127.0.0.1:1\",\"pid\":'$$'}'; ";

    @TempDir
    Path temp;

    MemberOptions.Builder options() {
        return MemberOptions.managed().folder(temp.resolve("folder")).restartBackoff(Duration.ofMillis(20), Duration.ofMillis(400));
    }

    /** Lets the log of members fail. */
    static void failingLog(Level from, Throwable failure) {
        ((LoggerContext) LoggerFactory.getILoggerFactory()).addTurboFilter(new TurboFilter() {
            @Override
            public FilterReply decide(Marker marker, Logger logger, Level level, String format, Object[] params, Throwable t) {
                if (logger.getName().equals(CacheMeshMember.class.getName()) && level.isGreaterOrEqual(from)) {
                    WatchIT.<RuntimeException>sneak(failure);
                }
                return FilterReply.NEUTRAL;
            }
        });
    }

    @SuppressWarnings("unchecked")
    private static <E extends Throwable> void sneak(Throwable t) throws E {
        throw (E) t;
    }

    @ParameterizedTest
    @CsvSource({"WARN,java.lang.IllegalStateException", "WARN,java.lang.NoClassDefFoundError", "INFO,java.lang.NoClassDefFoundError"})
    void aLogThatFailsIsNoEndOfWatching(String from, Class<? extends Throwable> failure) throws Exception {
        Path program = Kit.script(temp, READY + "sleep 0.01");
        failingLog(Level.valueOf(from), failure.getConstructor(String.class).newInstance("this log fails"));
        try (CacheMeshMember m = CacheMeshMember.create(options().binary(program).build())) {
            m.start();
            Kit.until("it was started again twice", Duration.ofSeconds(10), () -> m.health().restarts() >= 2);
        } finally {
            ((LoggerContext) LoggerFactory.getILoggerFactory()).resetTurboFilterList();
        }
    }

    /** Gives the program on its class path, but for some times that it is asked. */
    ClassLoader loader(AtomicInteger asked, int failsFrom, int failsTo) throws IOException {
        ClassLoader classes = Kit.loader(Kit.jar(temp, ("#!/bin/sh\n" + READY + "sleep 0.01\n").getBytes()));
        return new ClassLoader(null) {
            @Override
            public URL getResource(String name) {
                int n = asked.incrementAndGet();
                if (n >= failsFrom && n <= failsTo) {
                    throw new NoClassDefFoundError("classes cannot be had");
                }
                return classes.getResource(name);
            }
        };
    }

    @Test
    void anErrorAtARestartIsNoEndOfRestarts() throws Exception {
        AtomicInteger asked = new AtomicInteger();
        try (CacheMeshMember m = CacheMeshMember.create(options().classLoader(loader(asked, 2, 3)).build())) {
            m.start();
            Kit.until("it was started after the errors", Duration.ofSeconds(10), () -> asked.get() >= 5);
        }
    }

    @Test
    void anErrorAtTheStartIsTheCallers() throws Exception {
        AtomicInteger asked = new AtomicInteger();
        try (CacheMeshMember m = CacheMeshMember.create(options().classLoader(loader(asked, 1, 1)).build())) {
            assertThatThrownBy(m::start).isInstanceOf(NoClassDefFoundError.class);
            assertThat(m.health().state()).isEqualTo(MemberState.STOPPED);
            assertThat(m.health().reason()).contains("classes cannot be had");
            m.start();
            assertThat(asked.get()).isGreaterThan(1);
        }
    }

    @Test
    void aChildThatCannotBeFollowedIsEnded() throws Exception {
        AtomicReference<Process> begun = new AtomicReference<>();
        MemberOptions o = options().binary(Kit.script(temp, READY + "exec sleep 60")).build();
        for (Throwable failure : new Throwable[] {new InternalError("no thread"), new IllegalStateException("no")}) {
            assertThatThrownBy(() -> Child.start(o, "n", "127.0.0.1:0", p -> {
                begun.set(p);
                WatchIT.<RuntimeException>sneak(failure);
            })).isSameAs(failure);
            assertThat(begun.get().waitFor(5, TimeUnit.SECONDS)).isTrue();
        }
    }

    /** The end of a child is seen though there is no new thread to be had then; a member that was stopped leaves none. */
    @Test
    void noNewThreadWhenTheChildDies() throws Exception {
        List<Thread> threads = new ArrayList<>();
        Path lives = temp.resolve("lives");
        Path program = Kit.script(temp, READY + "test -e " + lives + " && exec sleep 60; touch " + lives + "; exec sleep 2"); // longer than an idle thread stays
        CacheMeshMember m = new Supervisor(options().binary(program).build(), task -> {
            if (!threads.isEmpty()) {
                throw new InternalError("there is no thread to be had"); // the JVM says OutOfMemoryError, which ends a run of tests
            }
            threads.add(new Thread(task));
            return threads.get(0);
        });
        try {
            m.start();
            Kit.until("it was started again", Duration.ofSeconds(12), () -> m.health().restarts() == 1 && m.health().up());
        } finally {
            m.stop();
        }
        threads.get(0).join(10_000);
        assertThat(threads.get(0).isAlive()).isFalse();
    }

    @Test
    void aListenerThatFailsHarmsNoOther() throws Exception {
        CountDownLatch told = new CountDownLatch(2);
        try (CacheMeshMember m = CacheMeshMember.create(options().binary(Kit.script(temp, READY + "sleep 0.01")).build())) {
            m.addListener(new MemberListener() {
                @Override
                public void ready(ReadyMember r) {
                    throw new NoClassDefFoundError("a listener's");
                }
            });
            m.addListener(new MemberListener() {
                @Override
                public void ready(ReadyMember r) {
                    told.countDown();
                }
            });
            m.start();
            assertThat(told.await(10, TimeUnit.SECONDS)).isTrue();
        }
    }
}
