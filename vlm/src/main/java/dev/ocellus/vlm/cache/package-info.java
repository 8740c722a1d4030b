/** Images that were encoded before, in memory and on disk. */
@NullMarked
package dev.ocellus.vlm.cache;

import org.jspecify.annotations.NullMarked;
