package dev.ocellus.accel;

/**
 * Every pixel two times across and down.
 *
 * @param source address of the maps
 * @param target address of the result, apart from the source
 * @param width of a map
 * @param rows of all maps together
 */
public record Doubling(long source, long target, int width, long rows) implements MapOperation {}
