package io.github.praveenduddu.cachemesh.spring.test.shop;

import java.util.concurrent.atomic.AtomicInteger;

import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.cache.annotation.CacheEvict;
import org.springframework.cache.annotation.Cacheable;
import org.springframework.context.annotation.ComponentScan;
import org.springframework.stereotype.Service;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;

/** An application as others write it. It has no Actuator, and no program on its class path. */
@SpringBootConfiguration
@EnableAutoConfiguration
@ComponentScan
public class Shop {

    record Book(String isbn, int reads) {
    }

    @Service
    static class Books {

        final AtomicInteger reads = new AtomicInteger();

        @Cacheable(cacheNames = "books", sync = true)
        public Book find(String isbn) {
            return new Book(isbn, this.reads.incrementAndGet());
        }

        @CacheEvict("books")
        public void change(String isbn) {
        }
    }

    @RestController
    static class Page {

        private final Books books;

        Page(Books books) {
            this.books = books;
        }

        @GetMapping("/books/{isbn}")
        Book find(@PathVariable String isbn) {
            return this.books.find(isbn);
        }
    }
}
