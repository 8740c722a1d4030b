/** The script that starts the command line. */
@NullMarked
package dev.ocellus.tests.launcher;

import org.jspecify.annotations.NullMarked;
