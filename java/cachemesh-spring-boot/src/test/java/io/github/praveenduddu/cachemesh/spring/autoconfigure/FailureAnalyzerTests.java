package io.github.praveenduddu.cachemesh.spring.autoconfigure;

import java.util.LinkedHashMap;
import java.util.Map;

import io.github.praveenduddu.cachemesh.member.ExternalMemberException;
import io.github.praveenduddu.cachemesh.member.FolderException;
import io.github.praveenduddu.cachemesh.member.MemberException;
import io.github.praveenduddu.cachemesh.member.NotExecutableException;
import io.github.praveenduddu.cachemesh.member.PortTakenException;
import io.github.praveenduddu.cachemesh.member.ProgramMissingException;
import io.github.praveenduddu.cachemesh.member.ProtocolException;
import io.github.praveenduddu.cachemesh.member.StartFailedException;
import io.github.praveenduddu.cachemesh.member.StartTimeoutException;
import io.github.praveenduddu.cachemesh.member.WrongArchitectureException;
import org.junit.jupiter.api.Test;

import org.springframework.beans.factory.BeanCreationException;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.diagnostics.FailureAnalyzer;
import org.springframework.core.io.support.SpringFactoriesLoader;

import static org.assertj.core.api.Assertions.assertThat;

class FailureAnalyzerTests {

    private static final String WITHOUT = " To run without it for now, set cachemesh.enabled=false: then nothing is cached by it.";

    @Test
    void everyReasonHasItsAdvice() {
        Map<MemberException, String> want = new LinkedHashMap<>();
        want.put(new PortTakenException("Port 3000 is taken.", null),
                "Set cachemesh.member.listen to a port that is free, port 0 is any free one; or end what listens there.");
        want.put(new ProgramMissingException("No program.", null),
                "Add cachemesh-spring-boot-starter, or cachemesh-binary-… for this system, to the dependencies; or name a program by "
                        + "cachemesh.member.binary; or let a member run beside this application and set cachemesh.member.mode=external "
                        + "and cachemesh.client.address.");
        want.put(new WrongArchitectureException("Wrong.", null),
                "Use the cachemesh-binary-… of this system, or a program that was built for it (cachemesh.member.binary).");
        want.put(new ProtocolException("Other protocol.", null),
                "Use the same version of all of CacheMesh's modules (cachemesh-bom), and a program of that version if cachemesh.member.binary names one.");
        want.put(new NotExecutableException("noexec.", null),
                "Set cachemesh.member.directory to a folder that this user can write to and that allows programs to run; or "
                        + "cachemesh.member.binary to a program that is installed.");
        want.put(new FolderException("read-only.", null),
                "Set cachemesh.member.directory to a folder that is this user's alone, or that is not there yet, and that allows programs to "
                        + "run; or cachemesh.member.binary to a program that is installed.");
        want.put(new StartTimeoutException("Slow.", null),
                "See the lines of the member in the log; set cachemesh.member.start-timeout if it needs longer.");
        want.put(new ExternalMemberException("Nobody.", null),
                "Start the member, or set cachemesh.client.address and cachemesh.client.password to where it is.");
        want.put(new StartFailedException("It said: no.", null),
                "See what the member said last, and the properties under cachemesh.member.");
        want.forEach((failure, action) -> {
            FailureAnalysis analysis = analyze(new BeanCreationException("cacheMeshMember", "failed", failure));
            assertThat(analysis.getDescription())
                .isEqualTo("The member of the mesh beside this application did not start: " + failure.getMessage());
            assertThat(analysis.getAction()).isEqualTo(action + WITHOUT);
            assertThat(analysis.getCause()).isSameAs(failure);
        });
    }

    @Test
    void anAddressThatIsNone() {
        FailureAnalysis analysis = analyze(new BeanCreationException("x", "y", new InvalidAddressException("It is none.")));
        assertThat(analysis.getDescription()).isEqualTo("It is none.");
        assertThat(analysis.getAction()).isEqualTo("Set cachemesh.client.address to the Redis port of a member that runs, as in "
                + "127.0.0.1:6379 or unix:/run/cachemesh/redis; or cachemesh.member.mode=embedded, and this application starts one.");
    }

    /** By the analyzers that Spring Boot finds. */
    private static FailureAnalysis analyze(Throwable failure) {
        for (FailureAnalyzer analyzer : SpringFactoriesLoader.forDefaultResourceLocation().load(FailureAnalyzer.class,
                SpringFactoriesLoader.FailureHandler.logging(org.apache.commons.logging.LogFactory.getLog(FailureAnalyzerTests.class)))) {
            FailureAnalysis analysis = analyzer.getClass().getName().contains("cachemesh") ? analyzer.analyze(failure) : null;
            if (analysis != null) {
                return analysis;
            }
        }
        throw new AssertionError("nobody analyzes " + failure);
    }
}
