package io.github.praveenduddu.cachemesh.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class BytesTest {

    @Test
    void valuesStandAsTheirSerializerMakesThem() {
        assertThat(Bytes.encode(Serializer.utf8(), "text", CacheOptions.DEFAULT)).isEqualTo("text".getBytes());
        assertThat(Bytes.encode(Serializer.utf8(), "", CacheOptions.DEFAULT)).isEmpty();
    }

    @Test
    void allThatIsEncodedIsReadAgain() {
        for (byte[] value : new byte[][] {{}, {0}, {0, 'N'}, {0, 'V'}, {0, 'V', 1}, {1, 0}, {0, 0, 0}}) {
            byte[] bytes = Bytes.encode(Serializer.bytes(), value, CacheOptions.DEFAULT);
            assertThat(Bytes.decode(Serializer.bytes(), bytes).value()).isEqualTo(value);
        }
        byte[] none = Bytes.encode(Serializer.<byte[]>bytes(), null, CacheOptions.DEFAULT);
        assertThat(Bytes.decode(Serializer.bytes(), none).value()).isNull();
    }

    @Test
    void whatCannotBeReadSaysSo() {
        assertThatThrownBy(() -> Bytes.decode(Serializer.bytes(), new byte[] {0, 'X', 1}))
                .isInstanceOf(CacheMeshSerializationException.class).hasMessageContaining("of an unknown kind: 005801");
        Serializer<String> broken = new Serializer<>() {
            @Override
            public byte[] serialize(String value) {
                throw new IllegalStateException("no");
            }

            @Override
            public String deserialize(byte[] bytes) {
                throw new IllegalStateException("no");
            }
        };
        assertThatThrownBy(() -> Bytes.encode(broken, "v", CacheOptions.DEFAULT))
                .isInstanceOf(CacheMeshSerializationException.class).hasMessage("a value of java.lang.String cannot be turned into bytes: no");
        assertThatThrownBy(() -> Bytes.decode(broken, new byte[] {1}))
                .isInstanceOf(CacheMeshSerializationException.class).hasMessageContaining("perhaps another version of this program wrote them: no");
        assertThatThrownBy(() -> Bytes.encode(Serializer.utf8(), null, CacheOptions.builder().nullValues(false).build()))
                .isInstanceOf(NullPointerException.class).hasMessage("this cache has no null values");
    }
}
