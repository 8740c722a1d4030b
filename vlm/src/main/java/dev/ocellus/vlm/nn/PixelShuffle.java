package dev.ocellus.vlm.nn;

import dev.ocellus.ggml.Tensor;

/**
 * Patches to fewer and wider embeddings: every square of {@code factor} by {@code factor}
 * neighbours becomes one, its members one after the other, line by line (space to depth).
 *
 * @param factor patches of a square's side
 */
public record PixelShuffle(int factor) {
  /**
   * From [nEmbd, gridX · gridY, n], patches line by line, to [nEmbd · factor², gridX · gridY /
   * factor², n]. Both sides of the grid must be multiples of the factor.
   */
  public Tensor forward(Tensor x, int gridX, int gridY) {
    long nEmbd = x.size(0);
    long nx = gridX / factor;
    long ny = gridY / factor;
    long n = x.size(2);
    return x.contiguous()
        .reshape(nEmbd * factor, nx, factor, ny * n) // [members of a line, square x, line, …]
        .permute(0, 2, 1, 3)
        .contiguous()
        .reshape(nEmbd * factor * factor, nx * ny, n);
  }
}
