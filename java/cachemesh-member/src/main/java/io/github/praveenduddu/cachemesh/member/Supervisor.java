package io.github.praveenduddu.cachemesh.member;

import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Runs a child, and starts it again when it ends without being asked. */
final class Supervisor implements CacheMeshMember {

    private static final Logger log = LoggerFactory.getLogger(CacheMeshMember.class);
    private static final int MOST_DOUBLINGS = 16;
    private static final long LOOK_SECONDS = 1; // between two looks whether the child lives

    private final MemberOptions options;
    private final String name;
    private final List<MemberListener> listeners = new CopyOnWriteArrayList<>();
    private final ScheduledThreadPoolExecutor worker; // restarts, and tells the listeners, one thing after the other

    private final ReentrantLock life = new ReentrantLock(); // held while a child is started or stopped
    private volatile boolean wanted; // by start and not by stop
    private volatile @Nullable Process begun; // the last process that was begun, ready or not
    private volatile @Nullable Child child; // the one that is ready; written under life
    private @Nullable String listened; // where the child listened for other members, who look for it there; guarded by life
    private int failures; // to start it again, one after the other; guarded by life
    private @Nullable ScheduledFuture<?> looks; // until stop; guarded by life
    private volatile MemberHealth health = new MemberHealth(MemberState.STOPPED, Instant.now(), "it was not started", 0, -1);

    Supervisor(MemberOptions options) {
        this(options, task -> {
            Thread t = new Thread(task, "cachemesh-member");
            t.setDaemon(true);
            return t;
        });
    }

    Supervisor(MemberOptions options, ThreadFactory threads) {
        this.options = Objects.requireNonNull(options, "options");
        byte[] own = new byte[4];
        ThreadLocalRandom.current().nextBytes(own);
        String given = options.name();
        name = given != null ? given : "jvm-" + ProcessHandle.current().pid() + "-" + HexFormat.of().formatHex(own);
        worker = new ScheduledThreadPoolExecutor(1, threads);
        worker.setKeepAliveTime(1, TimeUnit.SECONDS);
        worker.allowCoreThreadTimeOut(true); // a member that is dropped leaves no thread
        worker.setRemoveOnCancelPolicy(true);
    }

    @Override
    public void start() {
        life.lock();
        try {
            if (wanted) {
                return;
            }
            wanted = true;
            JvmEnd.hasBegun(); // from now on it is known
            failures = 0;
            listened = null;
            health = new MemberHealth(MemberState.STARTING, Instant.now(), "it is being started", 0, -1);
            try {
                // It keeps the worker's thread: when the child ends there may be no new one to be had.
                looks = worker.scheduleWithFixedDelay(this::look, LOOK_SECONDS, LOOK_SECONDS, TimeUnit.SECONDS);
                launch();
            } catch (RuntimeException | Error e) {
                wanted = false;
                abandon();
                noMoreLooks();
                health = new MemberHealth(MemberState.STOPPED, Instant.now(), reason(e), 0, -1);
                throw e;
            }
        } finally {
            life.unlock();
        }
    }

    /** Starts a child under life. */
    private void launch() {
        long begin = System.nanoTime();
        String listen = listened == null ? options.listen() : listened;
        Child c = Child.start(options, name, listen, p -> {
            begun = p;
            if (!wanted) { // stop was called before there was a process to end
                p.destroyForcibly();
            }
        });
        child = c;
        c.process.onExit().thenRun(() -> worker.execute(() -> ended(c))); // before anything that may fail
        if (options.listen().endsWith(":0")) { // it advertises the port that it found free
            listened = options.listen().replaceFirst("0$", c.ready.meshAddress().replaceFirst(".*:", ""));
        }
        health = new MemberHealth(MemberState.READY, Instant.now(), null, health.restarts(), c.ready.pid());
        Foreign.say(() -> log.info("{}, ready in {} ms", c.ready, TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begin)));
        tell(l -> l.ready(c.ready));
    }

    /** Ends a child whose launch failed after all, under life. */
    private void abandon() {
        Child c = child;
        child = null;
        if (c != null) {
            c.process.destroyForcibly();
        }
    }

    private void noMoreLooks() {
        if (looks != null) {
            looks.cancel(false);
            looks = null;
        }
    }

    /** Sees a child's end that nobody could tell. */
    private void look() {
        Child c = child;
        if (c != null && !c.process.isAlive()) {
            try {
                ended(c);
            } catch (RuntimeException | Error e) {
                // the next look tries again
            }
        }
    }

    /** A child has ended: if it was not asked to, another is started. */
    private void ended(Child c) {
        life.lock();
        try {
            c.forget();
            if (!wanted || child != c) {
                return;
            }
            String reason = c.reason();
            health = new MemberHealth(MemberState.RESTARTING, Instant.now(), reason, health.restarts(), -1);
            again();
            child = null; // only now: until it is to be started again, the next look would find it
            Foreign.say(() -> {
                if (JvmEnd.hasBegun()) {
                    log.info("{}; this JVM ends, too", reason);
                } else {
                    log.warn("{}; it is started again", reason);
                }
            });
            tell(l -> l.lost(reason));
        } finally {
            life.unlock();
        }
    }

    private void again() {
        long wait = Math.min(options.restartBackoff().toMillis() << Math.min(failures, MOST_DOUBLINGS), options.restartBackoffMax().toMillis());
        failures++;
        worker.schedule(this::relaunch, wait, TimeUnit.MILLISECONDS);
    }

    private void relaunch() {
        life.lock();
        try {
            if (!wanted || child != null || JvmEnd.hasBegun()) {
                return;
            }
            MemberHealth was = health;
            health = new MemberHealth(MemberState.RESTARTING, was.since(), was.reason(), was.restarts() + 1, -1);
            try {
                launch();
                long stable = options.restartBackoffMax().toMillis();
                Child c = child;
                worker.schedule(() -> settled(c), stable, TimeUnit.MILLISECONDS);
            } catch (RuntimeException | Error e) {
                abandon();
                if (e instanceof PortTakenException) {
                    listened = null;
                }
                if (wanted) {
                    again();
                    String reason = reason(e);
                    Foreign.say(() -> log.warn("the member could not be started again: {}", reason));
                    health = new MemberHealth(MemberState.RESTARTING, was.since(), reason, health.restarts(), -1);
                }
            }
        } finally {
            life.unlock();
        }
    }

    private static String reason(Throwable e) {
        String m = e instanceof MemberException ? e.getMessage() : null;
        return m != null ? m : e.toString();
    }

    /** A child that has run for long begins with the shortest pause again. */
    private void settled(@Nullable Child c) {
        life.lock();
        try {
            if (child == c) {
                failures = 0;
            }
        } finally {
            life.unlock();
        }
    }

    @Override
    public void stop() {
        wanted = false;
        Process p = begun;
        if (p != null && child == null) {
            p.destroyForcibly(); // it is not ready: whoever starts it would be waited for
        }
        life.lock();
        try {
            wanted = false;
            Child c = child;
            child = null;
            if (c != null) {
                c.stop(options.stopTimeout());
                Foreign.say(() -> log.info("{} has left", c.ready));
                tell(MemberListener::stopped);
            }
            if (health.state() != MemberState.STOPPED) {
                health = new MemberHealth(MemberState.STOPPED, Instant.now(), "it was stopped", health.restarts(), -1);
            }
        } finally {
            noMoreLooks();
            life.unlock();
        }
    }

    @Override
    public void restart() {
        Child c = child;
        if (c != null) {
            c.process.destroyForcibly();
        }
    }

    @Override
    public ReadyMember current() {
        Child c = child;
        if (c == null) {
            MemberHealth h = health;
            throw new MemberException("there is no member now: " + h.reason(), null);
        }
        return c.ready;
    }

    @Override
    public MemberHealth health() {
        return health;
    }

    @Override
    public void addListener(MemberListener listener) {
        listeners.add(Objects.requireNonNull(listener, "listener"));
        worker.execute(() -> {
            Child c = child;
            if (c != null) {
                Foreign.tell(listener, l -> l.ready(c.ready));
            }
        });
    }

    @Override
    public void removeListener(MemberListener listener) {
        listeners.remove(listener);
    }

    private void tell(Consumer<MemberListener> what) {
        worker.execute(() -> listeners.forEach(l -> Foreign.tell(l, what)));
    }

    @Override
    public void close() {
        stop();
    }
}
