package io.github.praveenduddu.cachemesh.spring.cache;

/** Says that an object cannot be a key of a cache in a mesh: it has no encoding that is the same in all processes. */
@SuppressWarnings("serial")
public class CacheMeshKeyException extends IllegalArgumentException {

    /**
     * Makes one.
     *
     * @param message what is wrong, and what to do
     */
    public CacheMeshKeyException(String message) {
        super(message);
    }
}
