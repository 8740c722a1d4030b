/** Ocellus behind Spring AI's interfaces, with the embedded models and with known answers. */
@NullMarked
package dev.ocellus.springai;

import org.jspecify.annotations.NullMarked;
