package io.github.praveenduddu.cachemesh.client;

import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.RedisCommandTimeoutException;
import java.nio.channels.ClosedChannelException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** Says in this package's exceptions what Lettuce and the member said. */
final class Errors {

    private Errors() {}

    /** Returns what an operation failed with. What is no failure of the network's or the member's is returned as it is. */
    static Throwable of(Throwable t) {
        Throwable e = unwrap(t);
        if (e instanceof CacheMeshException) {
            return e;
        }
        if (e instanceof RedisCommandExecutionException) {
            return said(e.getMessage(), e);
        }
        if (e instanceof TimeoutException || e instanceof RedisCommandTimeoutException) {
            return new CacheMeshTimeoutException("the member did not answer in time", e);
        }
        if (e instanceof CancellationException) {
            return new CacheMeshUnavailableException("the operation was called off", e);
        }
        if (e instanceof Error || e instanceof IllegalArgumentException || e instanceof NullPointerException) {
            return e;
        }
        return new CacheMeshUnavailableException("there is no connection to the member: " + reason(e), e);
    }

    /** Returns why a connection was not made. */
    static CacheMeshException ofConnect(Throwable t, @Nullable MemberAddress address) {
        Throwable e = unwrap(t);
        if (e instanceof CacheMeshException known) {
            return known;
        }
        for (Throwable c = e; c != null; c = c.getCause()) {
            if (c instanceof RedisCommandExecutionException) {
                CacheMeshException said = said(c.getMessage(), e);
                return said instanceof CacheMeshAuthenticationException
                        ? new CacheMeshAuthenticationException("the member at " + address + " does not take the password", e)
                        : new CacheMeshProtocolException("what answers at " + address + " is no member of CacheMesh: " + c.getMessage(), e);
            }
        }
        if (address == null) {
            return new CacheMeshUnavailableException("there is no member now: " + reason(e), e);
        }
        return new CacheMeshUnavailableException("the member at " + address + " cannot be reached: " + reason(e), e);
    }

    /** Returns an error that the member answered. */
    static CacheMeshException said(@Nullable String message, @Nullable Throwable cause) {
        String text = message == null ? "" : message;
        int space = text.indexOf(' ');
        String word = space < 0 ? text : text.substring(0, space);
        String rest = space < 0 ? text : text.substring(space + 1);
        return switch (word) {
            case "NOREPLICAS" -> new CacheMeshMinorityException(rest, cause);
            case "TRYAGAIN" -> new CacheMeshTryAgainException(rest, cause);
            case "LOADFAILED" -> new CacheMeshLoadException(rest, null);
            case "NOAUTH", "WRONGPASS" -> new CacheMeshAuthenticationException("the member does not take the password", cause);
            default -> rest.startsWith("value too large") ? new CacheMeshTooLargeException(rest, cause)
                    : rest.startsWith("this member has no such group") || rest.startsWith("this member has made as many groups")
                    ? new CacheMeshNoSuchCacheException(rest, cause)
                    : new CacheMeshCommandException("ERR".equals(word) ? rest : text, cause);
        };
    }

    /** Returns what an exception says, whatever its class does: loaders throw those of the application. */
    static String text(Throwable t) {
        try {
            return String.valueOf(t);
        } catch (RuntimeException | Error e) {
            return t.getClass().getName();
        }
    }

    static @Nullable String message(Throwable t) {
        try {
            return t.getMessage();
        } catch (RuntimeException | Error e) {
            return t.getClass().getName();
        }
    }

    static Throwable unwrap(Throwable t) {
        Throwable e = t;
        while ((e instanceof CompletionException || e instanceof ExecutionException) && e.getCause() != null) {
            e = e.getCause();
        }
        return e;
    }

    /** Throws what an operation failed with, with this thread's trace. */
    static RuntimeException rethrow(Throwable t) {
        Throwable e = of(t);
        if (e instanceof CacheMeshException known) {
            CacheMeshException here = again(known);
            here.addSuppressed(known);
            return here;
        }
        if (e instanceof Error error) {
            throw error;
        }
        return e instanceof RuntimeException r ? r : new CacheMeshException(String.valueOf(e.getMessage()), e);
    }

    /** The exception of another thread may be thrown by many: each has its own. */
    private static CacheMeshException again(CacheMeshException e) {
        String m = String.valueOf(e.getMessage());
        Throwable c = e.getCause();
        if (e instanceof CacheMeshLoadException) {
            return new CacheMeshLoadException(m, c);
        }
        if (e instanceof CacheMeshUnavailableException) {
            return new CacheMeshUnavailableException(m, c);
        }
        if (e instanceof CacheMeshTimeoutException) {
            return new CacheMeshTimeoutException(m, c);
        }
        if (e instanceof CacheMeshMinorityException) {
            return new CacheMeshMinorityException(m, c);
        }
        if (e instanceof CacheMeshTryAgainException) {
            return new CacheMeshTryAgainException(m, c);
        }
        if (e instanceof CacheMeshNoSuchCacheException) {
            return new CacheMeshNoSuchCacheException(m, c);
        }
        if (e instanceof CacheMeshAuthenticationException) {
            return new CacheMeshAuthenticationException(m, c);
        }
        if (e instanceof CacheMeshProtocolException) {
            return new CacheMeshProtocolException(m, c);
        }
        if (e instanceof CacheMeshSerializationException) {
            return new CacheMeshSerializationException(m, c);
        }
        if (e instanceof CacheMeshTooLargeException) {
            return new CacheMeshTooLargeException(m, c);
        }
        return new CacheMeshCommandException(m, c);
    }

    /** Returns the text of the innermost cause. */
    private static String reason(Throwable t) {
        Throwable e = t;
        while (e.getCause() != null && e.getCause() != e) {
            e = e.getCause();
        }
        if (e instanceof ClosedChannelException) {
            return "it is closed";
        }
        String m = message(e);
        return m == null || m.isEmpty() ? e.getClass().getSimpleName() : m;
    }
}
