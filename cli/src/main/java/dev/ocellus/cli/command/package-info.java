/**
 * What every command has: options about its output, names of models that are fetched first, errors
 * in words of the command line. Uses the terminal only.
 */
@NullMarked
package dev.ocellus.cli.command;

import org.jspecify.annotations.NullMarked;
