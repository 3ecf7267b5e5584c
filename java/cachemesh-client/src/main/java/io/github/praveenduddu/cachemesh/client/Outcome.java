package io.github.praveenduddu.cachemesh.client;

import io.github.praveenduddu.cachemesh.client.Replies.Found;
import org.jspecify.annotations.Nullable;

/** What becomes of a caller who wants a key. */
sealed interface Outcome permits Outcome.Raw, Outcome.Loaded, Outcome.Lead {

    /** The mesh has this. */
    record Raw(Found found) implements Outcome {}

    /** Another caller of this process has loaded this. */
    record Loaded(@Nullable Object value) implements Outcome {}

    /** Load it yourself, and say so to the claim. */
    record Lead(Claim claim) implements Outcome {}
}
