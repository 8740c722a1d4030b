/** Manual pages. Depends on picocli's model of a command. */
@NullMarked
package dev.ocellus.cli.man;

import org.jspecify.annotations.NullMarked;
