package io.github.praveenduddu.cachemesh.member;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads and writes the little JSON that is said between a member and its supervisor. */
final class Json {

    private static final int MOST_DEPTH = 16;

    private final String text;
    private int at;

    private Json(String text) {
        this.text = text;
    }

    /** Returns the object that a line is, or null if it is none. Numbers are Doubles or Longs. */
    static @Nullable Map<String, @Nullable Object> object(String line) {
        if (!line.startsWith("{")) {
            return null;
        }
        try {
            Json j = new Json(line);
            Object o = j.value(0);
            j.space();
            if (j.at == line.length() && o instanceof Map<?, ?>) {
                @SuppressWarnings("unchecked") // value makes no others
                Map<String, @Nullable Object> m = (Map<String, @Nullable Object>) o;
                return m;
            }
        } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
            // it is no JSON
        }
        return null;
    }

    /** Returns a text in quotes, as JSON and YAML read it. */
    static String quoted(String s) {
        StringBuilder b = new StringBuilder(s.length() + 2).append('"');
        for (int i = 0; i < s.length(); i++) {
            char c = s.charAt(i);
            if (c == '"' || c == '\\') {
                b.append('\\').append(c);
            } else if (c < ' ' || c == 0x7f || c == 0x85 || c == 0x2028 || c == 0x2029) {
                b.append(String.format("\\u%04x", (int) c));
            } else {
                b.append(c);
            }
        }
        return b.append('"').toString();
    }

    private void space() {
        while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
    }

    private void expect(char c) {
        space();
        if (text.charAt(at++) != c) {
            throw new IllegalArgumentException();
        }
    }

    private boolean next(char c) {
        space();
        if (text.charAt(at) != c) {
            return false;
        }
        at++;
        return true;
    }

    private @Nullable Object value(int depth) {
        if (depth > MOST_DEPTH) {
            throw new IllegalArgumentException();
        }
        space();
        return switch (text.charAt(at)) {
            case '{' -> map(depth);
            case '[' -> list(depth);
            case '"' -> string();
            case 't' -> word("true", true);
            case 'f' -> word("false", false);
            case 'n' -> word("null", null);
            default -> number();
        };
    }

    private Map<String, @Nullable Object> map(int depth) {
        Map<String, @Nullable Object> m = new LinkedHashMap<>();
        expect('{');
        if (next('}')) {
            return m;
        }
        do {
            space();
            String name = string();
            expect(':');
            m.put(name, value(depth + 1));
        } while (next(','));
        expect('}');
        return m;
    }

    private List<@Nullable Object> list(int depth) {
        List<@Nullable Object> l = new ArrayList<>();
        expect('[');
        if (next(']')) {
            return l;
        }
        do {
            l.add(value(depth + 1));
        } while (next(','));
        expect(']');
        return l;
    }

    private @Nullable Object word(String word, @Nullable Object value) {
        if (!text.startsWith(word, at)) {
            throw new IllegalArgumentException();
        }
        at += word.length();
        return value;
    }

    private Object number() {
        int from = at;
        while (at < text.length() && "+-.eE0123456789".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
        String s = text.substring(from, at);
        return s.matches("-?[0-9]{1,18}") ? (Object) Long.valueOf(s) : (Object) Double.valueOf(s);
    }

    private String string() {
        expect('"');
        StringBuilder b = new StringBuilder();
        while (true) {
            char c = text.charAt(at++);
            if (c == '"') {
                return b.toString();
            }
            if (c != '\\') {
                b.append(c);
                continue;
            }
            c = text.charAt(at++);
            switch (c) {
                case 'n' -> b.append('\n');
                case 't' -> b.append('\t');
                case 'r' -> b.append('\r');
                case 'b' -> b.append('\b');
                case 'f' -> b.append('\f');
                case 'u' -> {
                    b.append((char) Integer.parseInt(text.substring(at, at + 4), 16));
                    at += 4;
                }
                default -> b.append(c);
            }
        }
    }
}
