/** A long run in one process, whose memory must stay where it is. */
@org.jspecify.annotations.NullMarked
package dev.ocellus.tests.soak;
