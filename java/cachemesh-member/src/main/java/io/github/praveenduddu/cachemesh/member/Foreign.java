package io.github.praveenduddu.cachemesh.member;

import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Calls what is the application's, its log and its listeners: their failures are no reason not to go on. */
final class Foreign {

    private static final Logger log = LoggerFactory.getLogger(CacheMeshMember.class);

    private Foreign() {}

    /** Writes to the log. An appender may fail, with errors, too. */
    static void say(Runnable line) {
        try {
            line.run();
        } catch (RuntimeException | Error e) {
            // there is nowhere to say it
        }
    }

    static void tell(MemberListener l, Consumer<MemberListener> what) {
        try {
            what.accept(l);
        } catch (RuntimeException | Error e) {
            say(() -> log.warn("a listener of the member failed", e));
        }
    }
}
