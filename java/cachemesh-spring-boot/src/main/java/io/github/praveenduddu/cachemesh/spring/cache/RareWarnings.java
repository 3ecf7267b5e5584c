package io.github.praveenduddu.cachemesh.spring.cache;

import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;

/** Warns once a minute of what many operations meet, and says the others for who debugs. Safe for concurrent use. */
final class RareWarnings {

    private static final Log logger = LogFactory.getLog(CacheMeshCache.class);

    private static final long MINUTE = 60_000_000_000L;

    private final AtomicLong last = new AtomicLong();

    void add(Supplier<String> message, @Nullable Throwable ex) {
        long now = System.nanoTime();
        long before = this.last.get();
        if ((before == 0 || now - before > MINUTE) && this.last.compareAndSet(before, now)) {
            logger.warn(message.get() + " (said once a minute)", ex);
        }
        else if (logger.isDebugEnabled()) {
            logger.debug(message.get(), ex);
        }
    }
}
