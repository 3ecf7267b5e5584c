package io.github.praveenduddu.cachemesh.sample;

import java.util.List;

import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.DeleteMapping;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PutMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;

/** The shop's pages. */
@RestController
class ShopController {

    private final Books books;

    ShopController(Books books) {
        this.books = books;
    }

    @GetMapping("/books/{isbn}")
    ResponseEntity<Book> find(@PathVariable String isbn) {
        return ResponseEntity.of(java.util.Optional.ofNullable(this.books.find(isbn)));
    }

    @GetMapping("/books")
    List<Book> of(@RequestParam String author) {
        return this.books.of(author);
    }

    @PutMapping("/books/{isbn}")
    Book keep(@PathVariable String isbn, @RequestBody Book book) {
        return this.books.keep(new Book(isbn, book.title(), book.author(), book.cents()));
    }

    @PutMapping("/books/{isbn}/price")
    ResponseEntity<Void> price(@PathVariable String isbn, @RequestParam long cents) {
        return ResponseEntity.status(this.books.price(isbn, cents) ? HttpStatus.NO_CONTENT : HttpStatus.NOT_FOUND).build();
    }

    @DeleteMapping("/books/{isbn}")
    @ResponseStatus(HttpStatus.NO_CONTENT)
    void remove(@PathVariable String isbn) {
        this.books.remove(isbn);
    }

    @GetMapping("/reads")
    long reads() {
        return this.books.reads();
    }
}
