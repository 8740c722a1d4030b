/**
 * Images of a Spark data set to text, vectors and labels. {@link dev.ocellus.spark.OcellusSpark} is
 * the door.
 *
 * <p>Compiled for Java 17, on which Spark may be started, so that what needs a newer one can say so
 * instead of failing to load.
 */
@NullMarked
package dev.ocellus.spark;

import org.jspecify.annotations.NullMarked;
