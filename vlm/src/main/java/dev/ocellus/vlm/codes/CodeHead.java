package dev.ocellus.vlm.codes;

import dev.ocellus.ggml.Tensor;

/** What lets a text model write the codes of an image, such as Janus' generation head. */
public interface CodeHead {
  /** Codes of an image. */
  int nPlaces();

  /** Width of the text model's embeddings, as they come out of it and go in. */
  int width();

  /**
   * Logits of the next code.
   *
   * @param hidden [width, n] behind the text model's last norm
   * @return [codes, n]
   */
  Tensor logits(Tensor hidden);

  /**
   * What the text model is to read for codes.
   *
   * @param codes [n] from {@code indices}
   * @return [width, n]
   */
  Tensor embed(Tensor codes);
}
