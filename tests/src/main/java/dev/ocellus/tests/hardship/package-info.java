/** Programs that use the library where stack or heap is scarce; they must survive and go on. */
@org.jspecify.annotations.NullMarked
package dev.ocellus.tests.hardship;
