/** Scripts with which shells complete command lines. Depends on picocli's model of a command. */
@NullMarked
package dev.ocellus.cli.completion;

import org.jspecify.annotations.NullMarked;
