/**
 * Finds, verifies, unpacks and loads the ggml and llama.cpp libraries.
 *
 * <p>Everything else reaches native code through {@link
 * dev.ocellus.nativelib.NativeLibraries#symbols()}.
 */
@NullMarked
package dev.ocellus.nativelib;

import org.jspecify.annotations.NullMarked;
