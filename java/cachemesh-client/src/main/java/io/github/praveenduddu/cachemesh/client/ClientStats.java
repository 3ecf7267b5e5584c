package io.github.praveenduddu.cachemesh.client;

/**
 * What a client counted since it was made.
 *
 * @param connected whether its connection stands now
 * @param connects connections of all operations that were made
 * @param operations operations that were begun
 * @param failures of these, those that failed
 * @param queued operations that wait for their answers now
 * @param loads loaders that were called
 * @param loadFailures of these, those that failed
 * @param notKept of these, those whose value was not kept, since the key was written or the member was gone
 * @param joined callers that had the value of another caller in this process
 * @param waits waits for loads of other processes
 */
public record ClientStats(boolean connected, long connects, long operations, long failures, long queued, long loads,
        long loadFailures, long notKept, long joined, long waits) {}
