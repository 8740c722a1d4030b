/**
 * Groups of options that commands of several kinds share, and what they are read into: models,
 * images, sessions. Uses commands in general, and none in particular.
 */
@NullMarked
package dev.ocellus.cli.options;

import org.jspecify.annotations.NullMarked;
