package io.github.praveenduddu.cachemesh.sample;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

import org.jspecify.annotations.Nullable;

import org.springframework.beans.factory.annotation.Value;
import org.springframework.cache.annotation.CacheEvict;
import org.springframework.cache.annotation.CachePut;
import org.springframework.cache.annotation.Cacheable;
import org.springframework.cache.annotation.Caching;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Service;

/**
 * The books, with all that Spring's annotations do. {@code sync = true} is what makes a load the only one of all
 * instances, and what keeps a value that was read before an eviction from being stored after it.
 */
@Service
public class Books {

    private final JdbcClient database;

    private final Duration readTime;

    private final Duration searchTime;

    private final AtomicLong reads = new AtomicLong();

    /** Makes them. A read takes {@code sample.read-time} at least, and a search {@code sample.search-time}. */
    Books(JdbcClient database, @Value("${sample.read-time:30ms}") Duration readTime,
            @Value("${sample.search-time:1s}") Duration searchTime) {
        this.database = database;
        this.readTime = readTime;
        this.searchTime = searchTime;
    }

    /** Returns a book, or null: that there is none is cached, too. */
    @Cacheable(cacheNames = "books", key = "#isbn", sync = true)
    public @Nullable Book find(String isbn) {
        slowly(this.readTime);
        return this.database.sql("select isbn, title, author, cents from book where isbn = ?").param(isbn).query(Book.class)
            .optional().orElse(null);
    }

    /** Returns all books of an author. */
    @Cacheable(cacheNames = "shelves", key = "#author", sync = true)
    public List<Book> of(String author) {
        slowly(this.searchTime);
        return this.database.sql("select isbn, title, author, cents from book where author = ? order by isbn").param(author)
            .query(Book.class).list();
    }

    /** Keeps a book; all instances have it in their cache. */
    @Caching(put = @CachePut(cacheNames = "books", key = "#book.isbn"), evict = @CacheEvict(cacheNames = "shelves", allEntries = true))
    public Book keep(Book book) {
        int changed = this.database.sql("update book set title = ?, author = ?, cents = ? where isbn = ?")
            .params(book.title(), book.author(), book.cents(), book.isbn()).update();
        if (changed == 0) {
            this.database.sql("insert into book values (?, ?, ?, ?)")
                .params(book.isbn(), book.title(), book.author(), book.cents()).update();
        }
        return book;
    }

    /** Changes a price; no instance has the old one any more. */
    @Caching(evict = { @CacheEvict(cacheNames = "books", key = "#isbn"), @CacheEvict(cacheNames = "shelves", allEntries = true) })
    public boolean price(String isbn, long cents) {
        return this.database.sql("update book set cents = ? where isbn = ?").params(cents, isbn).update() > 0;
    }

    /** Removes a book. */
    @Caching(evict = { @CacheEvict(cacheNames = "books", key = "#isbn"), @CacheEvict(cacheNames = "shelves", allEntries = true) })
    public void remove(String isbn) {
        this.database.sql("delete from book where isbn = ?").param(isbn).update();
    }

    /** Returns how often this instance read from the database. */
    public long reads() {
        return this.reads.get();
    }

    private void slowly(Duration time) {
        this.reads.incrementAndGet();
        try {
            Thread.sleep(time.toMillis());
        }
        catch (InterruptedException ex) {
            Thread.currentThread().interrupt();
        }
    }
}
