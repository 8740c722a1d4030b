package dev.ocellus.accel;

/**
 * Sums of two maps of the same size.
 *
 * @param first address of the first
 * @param second address of the second
 * @param target address of the result; either it is one of the two, or it lies apart from both
 * @param count numbers
 */
public record Sum(long first, long second, long target, long count) implements MapOperation {}
