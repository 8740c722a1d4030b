/** What every module of Ocellus shares. */
@NullMarked
package dev.ocellus;

import org.jspecify.annotations.NullMarked;
