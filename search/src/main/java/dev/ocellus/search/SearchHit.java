package dev.ocellus.search;

import java.nio.file.Path;

/**
 * An image that was found.
 *
 * @param path below the folder that was searched
 * @param score cosine of its vector and that of the query, from -1 to 1
 * @param width of the image as it is seen, in pixels
 * @param height of the image as it is seen, in pixels
 * @param bytes of the file when it was indexed
 */
public record SearchHit(Path path, float score, int width, int height, long bytes) {}
