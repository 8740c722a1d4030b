/**
 * Damages model and image files by the thousand and lets one JVM open them all.
 *
 * <p>Entry point: {@link dev.ocellus.tests.fuzz.Fuzz}.
 */
package dev.ocellus.tests.fuzz;
