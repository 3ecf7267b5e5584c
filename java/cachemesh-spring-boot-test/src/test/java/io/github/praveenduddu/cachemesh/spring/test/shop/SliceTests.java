package io.github.praveenduddu.cachemesh.spring.test.shop;

import io.github.praveenduddu.cachemesh.client.CacheMeshClient;
import io.github.praveenduddu.cachemesh.member.CacheMeshMember;
import io.github.praveenduddu.cachemesh.spring.cache.CacheMeshCacheManager;
import io.github.praveenduddu.cachemesh.spring.test.AutoConfigureCacheMesh;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.webmvc.test.autoconfigure.WebMvcTest;
import org.springframework.cache.CacheManager;
import org.springframework.cache.support.NoOpCacheManager;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.Import;
import org.springframework.test.web.servlet.assertj.MockMvcTester;

import static org.assertj.core.api.Assertions.assertThat;

/** A test needs neither Docker nor a program: there is none on this class path. */
class SliceTests {

    @Nested
    @WebMvcTest
    @Import(Shop.Books.class)
    class WithoutCaches {

        @Test
        void aSliceHasNoMember(@Autowired ApplicationContext context) {
            assertThat(context.getBeanProvider(CacheMeshClient.class).getIfAvailable()).isNull();
            assertThat(context.getBeanProvider(CacheMeshCacheManager.class).getIfAvailable()).isNull();
        }
    }

    @Nested
    @WebMvcTest
    @Import(Shop.Books.class)
    @AutoConfigureCacheMesh
    class WithCaches {

        @Test
        void aSliceHasCachesIfItWants(@Autowired MockMvcTester mvc, @Autowired Shop.Books books, @Autowired ApplicationContext context) {
            for (int i = 0; i < 3; i++) {
                assertThat(mvc.get().uri("/books/1")).bodyJson().isLenientlyEqualTo("{\"isbn\":\"1\",\"reads\":1}");
            }
            books.change("1");
            assertThat(mvc.get().uri("/books/1")).bodyJson().isLenientlyEqualTo("{\"isbn\":\"1\",\"reads\":2}");
            assertThat(context.getBeanProvider(CacheMeshMember.class).getIfAvailable()).isNull();
        }
    }

    @Nested
    @SpringBootTest
    @AutoConfigureCacheMesh
    class WholeApplication {

        @Test
        void aWholeApplicationNeedsNoMember(@Autowired Shop.Books books, @Autowired CacheManager manager, @Autowired ApplicationContext context) {
            int first = books.find("1").reads();
            assertThat(books.find("1").reads()).isEqualTo(first);
            books.change("1");
            assertThat(books.find("1").reads()).isEqualTo(first + 1);
            assertThat(manager).isInstanceOf(CacheMeshCacheManager.class).isNotInstanceOf(NoOpCacheManager.class);
            assertThat(context.getBeanProvider(CacheMeshMember.class).getIfAvailable()).isNull();
        }
    }
}
