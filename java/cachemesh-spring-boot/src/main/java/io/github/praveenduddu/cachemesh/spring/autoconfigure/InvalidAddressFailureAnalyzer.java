package io.github.praveenduddu.cachemesh.spring.autoconfigure;

import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

/** Says what an address looks like. */
class InvalidAddressFailureAnalyzer extends AbstractFailureAnalyzer<InvalidAddressException> {

    @Override
    protected FailureAnalysis analyze(Throwable rootFailure, InvalidAddressException cause) {
        return new FailureAnalysis(String.valueOf(cause.getMessage()),
                "Set cachemesh.client.address to the Redis port of a member that runs, as in 127.0.0.1:6379 or "
                        + "unix:/run/cachemesh/redis; or cachemesh.member.mode=embedded, and this application starts one.",
                cause);
    }
}
