package io.github.praveenduddu.cachemesh.member;

/**
 * Is told of what becomes of a member. The methods are called one at a time, in order, on a thread of the
 * supervisor's; what they throw is logged. They must not call {@link CacheMeshMember#start} or {@code stop}.
 */
public interface MemberListener {

    /** The member answers, at first or again, perhaps elsewhere than before. */
    default void ready(ReadyMember member) {}

    /** The member has ended without being asked; {@code reason} is in plain words. It will be started again. */
    default void lost(String reason) {}

    /** The member was stopped as asked. */
    default void stopped() {}
}
