package io.github.praveenduddu.cachemesh.client;

import io.lettuce.core.protocol.ProtocolKeyword;
import java.nio.charset.StandardCharsets;

/** What the client asks of a member. */
enum Command implements ProtocolKeyword {
    GET("CM.GET"),
    MGET("CM.MGET"),
    SET("CM.SET"),
    DEL("CM.DEL"),
    CLEAR("CM.CLEAR"),
    FILL("CM.FILL"),
    NOTFOUND("CM.NOTFOUND"),
    FAIL("CM.FAIL"),
    EXTEND("CM.EXTEND"),
    RELEASE("CM.RELEASE"),
    STATS("CM.STATS"),
    MESH("CM.MESH"),
    PING("PING"),
    CONFIG("CONFIG");

    private final String text;
    private final byte[] bytes;

    Command(String text) {
        this.text = text;
        bytes = text.getBytes(StandardCharsets.US_ASCII);
    }

    @Override
    public byte[] getBytes() {
        return bytes;
    }

    @Override
    public String toString() {
        return text;
    }
}
