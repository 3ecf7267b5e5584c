package io.github.praveenduddu.cachemesh.member;

import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What {@link MemberOptions} say, with the defaults. A builder changes its own; those of options do not change. */
final class MemberFields implements Cloneable {

    final @Nullable String externalHost;
    final int externalPort;
    final @Nullable String externalPassword;
    @Nullable String name;
    String mesh = "";
    String listen = "127.0.0.1:0";
    @Nullable String advertise;
    List<String> bootstrapNodes = List.of();
    boolean findLocalMembers = true;
    @Nullable String secret;
    int clientPort;
    @Nullable Integer httpPort;
    @Nullable Long totalBytes;
    long groupBytes = 16 << 20;
    int maxGroups = 64;
    List<GroupOptions> groups = List.of();
    Map<String, String> settings = Map.of();
    @Nullable Path binary;
    @Nullable Path folder;
    Duration startTimeout = Duration.ofSeconds(20);
    Duration stopTimeout = Duration.ofSeconds(10);
    Duration restartBackoff = Duration.ofMillis(100);
    Duration restartBackoffMax = Duration.ofSeconds(10);
    ClassLoader classLoader = MemberFields.class.getClassLoader();

    MemberFields(@Nullable String host, int port, @Nullable String password) {
        externalHost = host;
        externalPort = port;
        externalPassword = password;
    }

    /** Returns a copy, or fails if what is said cannot be. */
    MemberFields checked() {
        Set<String> names = new HashSet<>();
        for (GroupOptions g : groups) {
            if (!names.add(g.name())) {
                throw new IllegalArgumentException("groups: " + g.name() + " is there twice");
            }
        }
        try {
            return (MemberFields) clone();
        } catch (CloneNotSupportedException e) {
            throw new AssertionError(e);
        }
    }
}
