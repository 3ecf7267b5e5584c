package io.github.praveenduddu.cachemesh.sample;

/**
 * A book of the shop.
 *
 * @param isbn its number
 * @param title its title
 * @param author who wrote it
 * @param cents its price
 */
public record Book(String isbn, String title, String author, long cents) {
}
