/**
 * The {@code ocellus} program: one class for each subcommand, and what they share: options,
 * printing, progress and exit codes.
 *
 * <p>It only asks the libraries and shows what they answer, and it alone names options of the
 * command line in messages.
 */
@NullMarked
package dev.ocellus.cli;

import org.jspecify.annotations.NullMarked;
