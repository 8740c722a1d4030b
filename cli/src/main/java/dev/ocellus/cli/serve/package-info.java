/** The command that starts the server, with its options. */
@NullMarked
package dev.ocellus.cli.serve;

import org.jspecify.annotations.NullMarked;
