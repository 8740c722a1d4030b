/** Tests of models by name. */
@NullMarked
package dev.ocellus.hub;

import org.jspecify.annotations.NullMarked;
