/**
 * Runs a member of a CacheMesh mesh beside this JVM.
 *
 * <p>{@link io.github.praveenduddu.cachemesh.member.CacheMeshMember} unpacks the program {@code cachemesh} from the
 * class path, starts it as a child, starts it again when it ends, and ends it with the JVM, however that ends; or it
 * stands for a member that runs already.
 */
@NullMarked
package io.github.praveenduddu.cachemesh.member;

import org.jspecify.annotations.NullMarked;
