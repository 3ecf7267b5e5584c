package io.github.praveenduddu.cachemesh.spring.autoconfigure;

import io.github.praveenduddu.cachemesh.member.CacheMeshMember;
import io.github.praveenduddu.cachemesh.member.MemberState;

import org.springframework.context.SmartLifecycle;

/**
 * Stops the member after the web server has answered its last request, and starts it again with a context that was
 * paused. It was started before, when its bean was made, since beans may use caches while they are initialized.
 */
public final class CacheMeshMemberLifecycle implements SmartLifecycle {

    /** Below the web server's phases: it starts before it, and stops after it. */
    public static final int PHASE = SmartLifecycle.DEFAULT_PHASE - 4096;

    private final CacheMeshMember member;

    CacheMeshMemberLifecycle(CacheMeshMember member) {
        this.member = member;
    }

    @Override
    public void start() {
        this.member.start();
    }

    @Override
    public void stop() {
        this.member.stop();
    }

    @Override
    public boolean isRunning() {
        return this.member.health().state() != MemberState.STOPPED;
    }

    @Override
    public int getPhase() {
        return PHASE;
    }
}
