package io.github.praveenduddu.cachemesh.spring.autoconfigure;

/** Says that {@code cachemesh.client.address} is none. */
@SuppressWarnings("serial")
class InvalidAddressException extends IllegalArgumentException {

    InvalidAddressException(String message) {
        super(message);
    }
}
