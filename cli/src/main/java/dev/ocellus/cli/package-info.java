/**
 * The {@code ocellus} program: where it starts, and its commands by name.
 *
 * <p>It only asks the libraries and shows what they answer, and it alone names options of the
 * command line in messages. Commands are in packages by what they are about ({@code chat}, {@code
 * inputs}, {@code search}, {@code generate}, {@code model}, {@code machine}, {@code serve}); they
 * stand on {@code options}, those on {@code command}, and that on {@code terminal}.
 */
@NullMarked
package dev.ocellus.cli;

import org.jspecify.annotations.NullMarked;
