package io.github.praveenduddu.cachemesh.member;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class JsonTest {

    @Test
    void readsWhatMembersSay() {
        assertThat(Json.object("{\"event\":\"ready\",\"pid\":42,\"f\":1.5e3,\"a\":[1,{\"b\":null}],\"t\":true,\"s\":\"x\\\"\\u0041\\n\"}"))
                .containsEntry("event", "ready").containsEntry("pid", 42L).containsEntry("f", 1500.0).containsEntry("t", true)
                .containsEntry("s", "x\"A\n").containsKey("a");
        assertThat(Json.object("{}")).isEmpty();
    }

    @Test
    void whatIsNoJsonIsNone() {
        for (String line : List.of("", "{", "ready", "{\"a\"}", "{\"a\":1", "{\"a\":1} x", "{\"a\":tru}", "{\"a\":\"\\u00", "[1]", "{\"a\":}", "{\"a\":" + "[".repeat(100_000))) {
            assertThat(Json.object(line)).as(line.length() > 20 ? "deep" : line).isNull();
        }
    }

    @Test
    void whatIsQuotedIsReadAgain() {
        String all = "a\"b\\c\u0000\n\t\u007f\u0085\u2028é😀: #{}";
        assertThat(Json.object("{\"k\":" + Json.quoted(all) + "}")).containsEntry("k", all);
    }
}
