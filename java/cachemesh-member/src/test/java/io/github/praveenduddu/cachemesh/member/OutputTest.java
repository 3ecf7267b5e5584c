package io.github.praveenduddu.cachemesh.member;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.turbo.TurboFilter;
import ch.qos.logback.core.spi.FilterReply;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;
import org.slf4j.Marker;

class OutputTest {

    /** What a child says is read on, or its pipe would fill and it would wait. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aLogThatFailsIsNoEndOfReading(boolean badly) throws Exception {
        LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
        TurboFilter failing = new TurboFilter() {
            @Override
            public FilterReply decide(Marker marker, Logger logger, Level level, String format, Object[] params, Throwable t) {
                if (logger.getName().equals(Output.class.getName())) {
                    if (badly) {
                        throw new NoClassDefFoundError("this log fails");
                    }
                    throw new IllegalStateException("this log fails");
                }
                return FilterReply.NEUTRAL;
            }
        };
        context.addTurboFilter(failing);
        try {
            Process child = new ProcessBuilder("sh", "-c", "echo one >&2; echo two >&2").start();
            Output output = new Output(child);
            child.waitFor();
            assertThat(output.last()).isEqualTo("one\ntwo");
        } finally {
            context.resetTurboFilterList();
        }
    }
}
