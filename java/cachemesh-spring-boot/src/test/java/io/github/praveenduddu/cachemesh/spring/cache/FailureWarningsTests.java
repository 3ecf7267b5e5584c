package io.github.praveenduddu.cachemesh.spring.cache;

import java.util.List;

import io.github.praveenduddu.cachemesh.client.CacheMeshException;
import io.github.praveenduddu.cachemesh.client.CacheMeshNoSuchCacheException;
import io.github.praveenduddu.cachemesh.client.CacheMeshTooLargeException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

import static org.assertj.core.api.Assertions.assertThat;

/** What is logged of writes that fail: what one meets, thousands meet. */
@ExtendWith(OutputCaptureExtension.class)
class FailureWarningsTests extends CacheFixture {

    private static final CacheMeshException NO_SUCH_CACHE = new CacheMeshNoSuchCacheException("this member has made as many groups as it may", null);

    private static List<String> warnings(CapturedOutput output) {
        return output.getAll().lines().filter((line) -> line.contains("WARN")).toList();
    }

    private void hundredPuts() {
        for (int i = 0; i < 100; i++) {
            this.cache.put("k" + i, "1");
        }
    }

    @Test
    void ofManyWritesThatFailOneWarns(CapturedOutput output) {
        this.client.gone(true);
        hundredPuts();
        assertThat(warnings(output)).singleElement().asString().contains("key 'k0' could not be put", "made up for");
        this.client.broken(new CacheMeshTooLargeException("value too large", null));
        hundredPuts();
        assertThat(warnings(output)).filteredOn((line) -> line.contains("too large")).hasSize(1);
    }

    @Test
    void aCacheThatTheMemberMayNotMakeOwesNothing(CapturedOutput output) {
        this.client.broken(NO_SUCH_CACHE);
        hundredPuts();
        assertThat(warnings(output)).singleElement().asString().contains("as many groups").doesNotContain("made up for");
        assertThat(this.client.tries()).isEqualTo(100);
        assertThat(this.cache.get("k1")).isNull();
        assertThat(this.client.tries()).isEqualTo(101); // what is owed is not asked for
    }
}
