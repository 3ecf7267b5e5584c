package io.github.praveenduddu.cachemesh.client;

import java.util.List;
import java.util.Map;

/**
 * What a member says of itself and of the mesh.
 *
 * @param name the member's name
 * @param address where other members reach it
 * @param version the program's version
 * @param protocol the number of what clients and member agree on
 * @param pid its process
 * @param settled whether the members agree on who is a member
 * @param mode by what right the member answers: majority, half or minority
 * @param members all that it believes to be members, itself included
 * @param unreachable those of them that it cannot call, by what the mesh calls them
 * @param groups the names of its groups
 * @param counters what it counted, unmodifiable
 */
public record MeshInfo(String name, String address, String version, int protocol, long pid, boolean settled, String mode,
        List<Member> members, List<String> unreachable, List<String> groups, Map<String, Long> counters) {

    public MeshInfo {
        members = List.copyOf(members);
        unreachable = List.copyOf(unreachable);
        groups = List.copyOf(groups);
        counters = Map.copyOf(counters);
    }

    /**
     * A member of the mesh.
     *
     * @param name its name
     * @param address where other members reach it
     * @param self whether it is the one that says so
     * @param leaving whether it is shutting down, and owns nothing any more
     */
    public record Member(String name, String address, boolean self, boolean leaving) {}
}
