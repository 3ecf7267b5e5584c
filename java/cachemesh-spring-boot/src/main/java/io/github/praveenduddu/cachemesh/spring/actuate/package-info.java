/** Health, metrics and the endpoint {@code /actuator/cachemesh}. */
@NullMarked
package io.github.praveenduddu.cachemesh.spring.actuate;

import org.jspecify.annotations.NullMarked;
