package io.github.praveenduddu.cachemesh.spring.autoconfigure;

import io.github.praveenduddu.cachemesh.member.ExternalMemberException;
import io.github.praveenduddu.cachemesh.member.FolderException;
import io.github.praveenduddu.cachemesh.member.MemberException;
import io.github.praveenduddu.cachemesh.member.NotExecutableException;
import io.github.praveenduddu.cachemesh.member.PortTakenException;
import io.github.praveenduddu.cachemesh.member.ProgramMissingException;
import io.github.praveenduddu.cachemesh.member.ProtocolException;
import io.github.praveenduddu.cachemesh.member.StartTimeoutException;
import io.github.praveenduddu.cachemesh.member.WrongArchitectureException;

import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

/** Says why the member did not start, and which property may help. */
class MemberFailureAnalyzer extends AbstractFailureAnalyzer<MemberException> {

    @Override
    protected FailureAnalysis analyze(Throwable rootFailure, MemberException cause) {
        return new FailureAnalysis("The member of the mesh beside this application did not start: " + cause.getMessage(),
                action(cause) + " To run without it for now, set cachemesh.enabled=false: then nothing is cached by it.",
                cause);
    }

    private static String action(MemberException cause) {
        if (cause instanceof PortTakenException) {
            return "Set cachemesh.member.listen to a port that is free, port 0 is any free one; or end what listens there.";
        }
        if (cause instanceof ProgramMissingException) {
            return "Add cachemesh-spring-boot-starter, or cachemesh-binary-… for this system, to the dependencies; or name "
                    + "a program by cachemesh.member.binary; or let a member run beside this application and set "
                    + "cachemesh.member.mode=external and cachemesh.client.address.";
        }
        if (cause instanceof WrongArchitectureException) {
            return "Use the cachemesh-binary-… of this system, or a program that was built for it (cachemesh.member.binary).";
        }
        if (cause instanceof ProtocolException) {
            return "Use the same version of all of CacheMesh's modules (cachemesh-bom), and a program of that version if "
                    + "cachemesh.member.binary names one.";
        }
        if (cause instanceof FolderException) {
            return "Set cachemesh.member.directory to a folder that is this user's alone, or that is not there yet, and that "
                    + "allows programs to run; or cachemesh.member.binary to a program that is installed.";
        }
        if (cause instanceof NotExecutableException) {
            return "Set cachemesh.member.directory to a folder that this user can write to and that allows programs to run; "
                    + "or cachemesh.member.binary to a program that is installed.";
        }
        if (cause instanceof StartTimeoutException) {
            return "See the lines of the member in the log; set cachemesh.member.start-timeout if it needs longer.";
        }
        if (cause instanceof ExternalMemberException) {
            return "Start the member, or set cachemesh.client.address and cachemesh.client.password to where it is.";
        }
        return "See what the member said last, and the properties under cachemesh.member.";
    }
}
