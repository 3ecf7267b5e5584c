package io.github.praveenduddu.cachemesh.member;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What a {@link CacheMeshMember} is told. Immutable; made by {@link #managed} or {@link #external}. */
public final class MemberOptions {

    private final MemberFields f;

    private MemberOptions(MemberFields f) {
        this.f = f;
    }

    /** Begins options for a member that is a child of this process. */
    public static Builder managed() {
        return new Builder(null, 0, null);
    }

    /** Begins options for a member that runs already, as a sidecar: it is looked at, and neither started nor stopped. */
    public static Builder external(String host, int port, @Nullable String password) {
        return new Builder(Objects.requireNonNull(host, "host"), port, password);
    }

    public boolean isExternal() {
        return f.externalHost != null;
    }

    public @Nullable String externalHost() {
        return f.externalHost;
    }

    public int externalPort() {
        return f.externalPort;
    }

    public @Nullable String externalPassword() {
        return f.externalPassword;
    }

    public @Nullable String name() {
        return f.name;
    }

    public String mesh() {
        return f.mesh;
    }

    public String listen() {
        return f.listen;
    }

    public @Nullable String advertise() {
        return f.advertise;
    }

    public List<String> bootstrapNodes() {
        return f.bootstrapNodes;
    }

    public boolean findLocalMembers() {
        return f.findLocalMembers && f.bootstrapNodes.isEmpty();
    }

    public @Nullable String secret() {
        return f.secret;
    }

    public int clientPort() {
        return f.clientPort;
    }

    public @Nullable Integer httpPort() {
        return f.httpPort;
    }

    public @Nullable Long totalBytes() {
        return f.totalBytes;
    }

    public long groupBytes() {
        return f.groupBytes;
    }

    public int maxGroups() {
        return f.maxGroups;
    }

    public List<GroupOptions> groups() {
        return f.groups;
    }

    public Map<String, String> settings() {
        return f.settings;
    }

    public @Nullable Path binary() {
        return f.binary;
    }

    public @Nullable Path folder() {
        return f.folder;
    }

    public Duration startTimeout() {
        return f.startTimeout;
    }

    public Duration stopTimeout() {
        return f.stopTimeout;
    }

    public Duration restartBackoff() {
        return f.restartBackoff;
    }

    public Duration restartBackoffMax() {
        return f.restartBackoffMax;
    }

    public ClassLoader classLoader() {
        return f.classLoader;
    }

    /** Makes {@link MemberOptions}. Not for several threads at once. */
    public static final class Builder {

        private final MemberFields f;

        private Builder(@Nullable String host, int port, @Nullable String password) {
            f = new MemberFields(host, port, password);
        }

        /**
         * The member's own name, the same after a restart, and no other member's. Default, null: one that is made up for
         * this object, so that the mesh knows a child that was started again.
         */
        public Builder name(@Nullable String s) {
            f.name = s;
            return this;
        }

        /** The mesh's name; members of another are not let in. Default: "". */
        public Builder mesh(String s) {
            f.mesh = Objects.requireNonNull(s, "mesh");
            return this;
        }

        /** host:port for other members, TCP and UDP; port 0 is one that is free. Default: 127.0.0.1:0. */
        public Builder listen(String s) {
            f.listen = Objects.requireNonNull(s, "listen");
            return this;
        }

        /** host:port at which other members reach this one. Default, null: where it listens. */
        public Builder advertise(@Nullable String s) {
            f.advertise = s;
            return this;
        }

        /** host:port of any members of the mesh. Default: none. */
        public Builder bootstrapNodes(List<String> l) {
            f.bootstrapNodes = List.copyOf(l);
            return this;
        }

        /**
         * Whether a member without {@code bootstrapNodes} joins those that other JVMs of this user run on this machine
         * for the same mesh: they find each other by {@link #folder}. Default: yes.
         */
        public Builder findLocalMembers(boolean yes) {
            f.findLocalMembers = yes;
            return this;
        }

        /** What all members know, 16 bytes or more; it reaches the child by its environment. Default, null: nothing. */
        public Builder secret(@Nullable String s) {
            f.secret = s;
            return this;
        }

        /** The port for clients, on 127.0.0.1. Default: 0, one that is free. */
        public Builder clientPort(int n) {
            f.clientPort = n;
            return this;
        }

        /** The port of the HTTP API and the dashboard, on 127.0.0.1; 0 is one that is free. Default, null: none. */
        public Builder httpPort(@Nullable Integer n) {
            f.httpPort = n;
            return this;
        }

        /** Memory of all groups together. Default, null: each has its own. */
        public Builder totalBytes(@Nullable Long n) {
            f.totalBytes = n;
            return this;
        }

        /** Memory of each group that says nothing of its own. Default: 16 MiB. */
        public Builder groupBytes(long n) {
            f.groupBytes = n;
            return this;
        }

        /** How many groups may be made besides those that are configured. 0: none. Default: 64. */
        public Builder maxGroups(int n) {
            f.maxGroups = n;
            return this;
        }

        /** The groups that are there from the begin. Default: none. */
        public Builder groups(List<GroupOptions> l) {
            f.groups = List.copyOf(l);
            return this;
        }

        /** Further settings of the program, by the names of its flags without the dashes. Default: none. */
        public Builder settings(Map<String, String> m) {
            f.settings = Map.copyOf(new TreeMap<>(m));
            return this;
        }

        /** The program itself, instead of what is on the class path. Default, null. */
        public Builder binary(@Nullable Path p) {
            f.binary = p;
            return this;
        }

        /**
         * Where the program is unpacked. It is made if it is not there, for this user alone, and must allow programs to run.
         * Default, null: a folder of this user's under {@code java.io.tmpdir}.
         */
        public Builder folder(@Nullable Path p) {
            f.folder = p;
            return this;
        }

        /** How long the member may take to be ready. Default: 20 s. */
        public Builder startTimeout(Duration d) {
            f.startTimeout = Objects.requireNonNull(d, "startTimeout");
            return this;
        }

        /** How long it may take to leave in order; then it is killed. Default: 10 s. */
        public Builder stopTimeout(Duration d) {
            f.stopTimeout = Objects.requireNonNull(d, "stopTimeout");
            return this;
        }

        /** How long it is waited before a member that ended is started again; it doubles up to {@code max}. Default: 100 ms, 10 s. */
        public Builder restartBackoff(Duration first, Duration max) {
            f.restartBackoff = Objects.requireNonNull(first, "first");
            f.restartBackoffMax = Objects.requireNonNull(max, "max");
            return this;
        }

        /** Whose resources have the program. Default: that of this class. */
        public Builder classLoader(ClassLoader l) {
            f.classLoader = Objects.requireNonNull(l, "classLoader");
            return this;
        }

        public MemberOptions build() {
            return new MemberOptions(f.checked());
        }
    }
}
