package io.github.praveenduddu.cachemesh.spring.cache;

/** What a cache does while its member cannot be reached. */
public enum OnError {

    /** Reads find nothing, so that callers load; writes and evictions are logged as warnings. */
    MISS,

    /** Operations throw. */
    FAIL

}
