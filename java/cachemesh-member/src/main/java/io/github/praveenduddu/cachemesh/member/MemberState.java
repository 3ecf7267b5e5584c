package io.github.praveenduddu.cachemesh.member;

/** What a {@link CacheMeshMember} does. */
public enum MemberState {
    /** It was not started yet, or stopped. */
    STOPPED,
    /** It is being started. */
    STARTING,
    /** It answers. */
    READY,
    /** It ended without being asked, and is started again, or will be after a pause. */
    RESTARTING
}
