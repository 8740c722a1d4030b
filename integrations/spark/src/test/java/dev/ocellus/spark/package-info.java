/** Jobs of local mode and of clusters, compared with what one process answers. */
@NullMarked
package dev.ocellus.spark;

import org.jspecify.annotations.NullMarked;
