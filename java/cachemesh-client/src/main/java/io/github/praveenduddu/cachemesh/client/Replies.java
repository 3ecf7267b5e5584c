package io.github.praveenduddu.cachemesh.client;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads what a member answers. */
final class Replies {

    private Replies() {}

    /** What CM.GET found. */
    enum Kind { HIT, STALE, NOT_FOUND, WON, BUSY }

    /**
     * An answer to CM.GET.
     *
     * @param value what the key has; with WON what it had, if it is kept past its time
     */
    record Found(Kind kind, byte @Nullable [] value, byte @Nullable [] token) {

        static Found of(List<Object> said) {
            return switch (text(said.get(0))) {
                case "hit" -> new Found(Kind.HIT, (byte[]) said.get(1), null);
                case "stale" -> new Found(Kind.STALE, (byte[]) said.get(1), null);
                case "notfound" -> new Found(Kind.NOT_FOUND, null, null);
                case "won" -> new Found(Kind.WON, said.size() > 2 ? (byte[]) said.get(2) : null, (byte[]) said.get(1));
                case "busy" -> new Found(Kind.BUSY, null, null);
                default -> throw new CacheMeshProtocolException("the member answered " + text(said.get(0)), null);
            };
        }
    }

    static Map<String, Long> counters(List<?> said) {
        Map<String, Long> all = new LinkedHashMap<>();
        for (int i = 0; i + 1 < said.size(); i += 2) {
            all.put(text(said.get(i)), number(said.get(i + 1)));
        }
        return all;
    }

    static MeshInfo mesh(List<?> said) {
        Map<String, @Nullable Object> all = new LinkedHashMap<>();
        for (int i = 0; i + 1 < said.size(); i += 2) {
            all.put(text(said.get(i)), said.get(i + 1));
        }
        List<MeshInfo.Member> members = new ArrayList<>();
        for (Object m : list(all.get("members"))) {
            List<?> one = list(m);
            members.add(new MeshInfo.Member(text(one.get(0)), text(one.get(1)), number(one.get(2)) == 1, number(one.get(3)) == 1));
        }
        return new MeshInfo(text(all.get("name")), text(all.get("addr")), text(all.get("version")), (int) number(all.get("protocol")),
                number(all.get("pid")), number(all.get("settled")) == 1, text(all.get("mode")), members, texts(all.get("unreachable")),
                texts(all.get("groups")), counters(list(all.get("counters"))));
    }

    /** Returns what CONFIG GET says of one number. */
    static int setting(List<?> said, int otherwise) {
        List<?> pair = said.size() == 1 ? list(said.get(0)) : said;
        try {
            return pair.size() == 2 ? Integer.parseInt(text(pair.get(1))) : otherwise;
        } catch (NumberFormatException e) {
            return otherwise;
        }
    }

    private static List<String> texts(@Nullable Object o) {
        List<String> all = new ArrayList<>();
        for (Object one : list(o)) {
            all.add(text(one));
        }
        return all;
    }

    private static List<?> list(@Nullable Object o) {
        return o instanceof List<?> l ? l : List.of();
    }

    private static long number(@Nullable Object o) {
        return o instanceof Long n ? n : 0;
    }

    private static String text(@Nullable Object o) {
        return o instanceof byte[] b ? new String(b, StandardCharsets.UTF_8) : String.valueOf(o);
    }
}
