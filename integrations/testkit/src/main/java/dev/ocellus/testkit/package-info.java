/** Models whose answers are known, for tests of what puts a framework between. */
@NullMarked
package dev.ocellus.testkit;

import org.jspecify.annotations.NullMarked;
