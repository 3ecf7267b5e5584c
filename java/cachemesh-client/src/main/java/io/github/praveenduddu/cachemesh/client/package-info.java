/**
 * Talks to a member of a CacheMesh mesh.
 *
 * <p>{@link io.github.praveenduddu.cachemesh.client.CacheMeshClient} is a connection to one member, best the one on
 * this machine; {@link io.github.praveenduddu.cachemesh.client.MeshCache} is one cache of the mesh, with keys and
 * values of Java types. When a write has returned, no member of the mesh answers with what was there before.
 */
@NullMarked
package io.github.praveenduddu.cachemesh.client;

import org.jspecify.annotations.NullMarked;
