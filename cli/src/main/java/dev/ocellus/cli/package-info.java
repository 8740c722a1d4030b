/** The {@code ocellus} command: one class for each verb, and what they share. */
@NullMarked
package dev.ocellus.cli;

import org.jspecify.annotations.NullMarked;
