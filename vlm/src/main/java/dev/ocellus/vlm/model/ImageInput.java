package dev.ocellus.vlm.model;

/**
 * A picture as an encoder takes it.
 *
 * @param pixels normalized values of all tiles, [nTiles, 3, height, width] in row-major order
 * @param width pixels of a tile across
 * @param height pixels of a tile down
 * @param nTiles number of tiles
 * @param gridX tiles across, or 1
 * @param gridY tiles down, or 1
 * @param nTokens rows that the text model will see
 */
public record ImageInput(
    float[] pixels, int width, int height, int nTiles, int gridX, int gridY, int nTokens) {}
