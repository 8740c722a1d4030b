/** Log lines of the program. */
@NullMarked
package dev.ocellus.cli.log;

import org.jspecify.annotations.NullMarked;
