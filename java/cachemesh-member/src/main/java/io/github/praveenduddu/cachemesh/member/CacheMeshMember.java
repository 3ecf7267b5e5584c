package io.github.praveenduddu.cachemesh.member;

/**
 * A member of the mesh beside this JVM: a child process, or one that runs already. It may be started and stopped any
 * number of times. Its methods may be called by several threads.
 */
public interface CacheMeshMember extends AutoCloseable {

    /** The number of what this supervisor and the program must agree on. */
    int PROTOCOL = 1;

    /** Makes a member, and does not start it. */
    static CacheMeshMember create(MemberOptions options) {
        return options.isExternal() ? new ExternalMember(options) : new Supervisor(options);
    }

    /**
     * Starts the member and waits until it is ready, {@link MemberOptions#startTimeout} at most. Of one that runs it does
     * nothing. If it throws nothing is left running.
     *
     * @throws MemberException says in plain words why the member does not start; its subclasses name what can be told
     */
    void start();

    /**
     * Stops the member: it leaves the mesh in order, within {@link MemberOptions#stopTimeout}. Of one that does not run it
     * does nothing. An external one goes on.
     */
    void stop();

    /** Ends the child at once; it is started again as after a crash. An external one goes on. */
    void restart();

    /**
     * Returns the member that is ready now.
     *
     * @throws MemberException if none is
     */
    ReadyMember current();

    /** Returns how the member does. An external one is asked. */
    MemberHealth health();

    /** Adds who is told of what becomes of the member. If it is ready, the listener is told so at once. */
    void addListener(MemberListener listener);

    void removeListener(MemberListener listener);

    /** Is {@link #stop}. */
    @Override
    void close();
}
