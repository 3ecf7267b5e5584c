package io.github.praveenduddu.cachemesh.member;

/** Knows whether this JVM has begun to end: what a signal to its process group ends as well is then not started again. */
final class JvmEnd {

    private static volatile boolean begun;

    static {
        try {
            Runtime.getRuntime().addShutdownHook(new Thread(() -> begun = true, "cachemesh-jvm-end"));
        } catch (IllegalStateException e) {
            begun = true;
        }
    }

    private JvmEnd() {}

    /** Says whether it has; what is to know of an end must have called this before. */
    static boolean hasBegun() {
        return begun;
    }
}
