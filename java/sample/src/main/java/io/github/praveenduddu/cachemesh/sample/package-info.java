/** A web application with a coherent cache over all its instances. */
@NullMarked
package io.github.praveenduddu.cachemesh.sample;

import org.jspecify.annotations.NullMarked;
