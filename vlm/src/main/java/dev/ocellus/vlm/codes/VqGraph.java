package dev.ocellus.vlm.codes;

import dev.ocellus.ggml.Tensor;

/**
 * What a VQ model computes: an encoder, the table of vectors that stands between, and a decoder.
 * Maps are [width, height, channels, batch].
 */
public interface VqGraph {
  /** Entries of the codebook. */
  int nCodes();

  /** Pixels of an image for each code, across and down. */
  int factor();

  /** Whether there is a decoder. */
  boolean decodes();

  /**
   * The latents of pixels, before they are quantized.
   *
   * @param pixels [width, height, 3, batch], sides multiples of {@link #factor}
   * @param budget for the maps
   * @return [width / factor, height / factor, width of the codebook, batch]
   */
  Tensor latents(Tensor pixels, MapBudget budget);

  /**
   * The nearest entry of the codebook for each place.
   *
   * @param latents as {@link #latents} gives them
   * @return [places] in I32, row by row, image by image
   */
  Tensor quantize(Tensor latents);

  /**
   * Squared lengths of the entries of the codebook, which tell whether all of them are numbers: an
   * entry that is none is nobody's nearest.
   *
   * @param latents anything of the graph
   * @return [entries]
   */
  Tensor lengths(Tensor latents);

  /**
   * Pixels of codes.
   *
   * @param codes [width · height · batch] from {@code indices}, row by row
   * @param budget for the maps
   * @return [width · factor, height · factor, 3, batch]
   * @throws IllegalStateException if there is no decoder
   */
  Tensor decode(Tensor codes, int width, int height, int batch, MapBudget budget);
}
