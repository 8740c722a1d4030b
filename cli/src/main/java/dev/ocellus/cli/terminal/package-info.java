/**
 * What the program reads and prints: streams, exit codes, Ctrl-C, progress, JSON, images in a
 * terminal and in files. Knows no commands.
 */
@NullMarked
package dev.ocellus.cli.terminal;

import org.jspecify.annotations.NullMarked;
