package dev.ocellus.vlm.nn;

import dev.ocellus.ggml.Tensor;

/**
 * What queries attend to: keys, and values of as many rows.
 *
 * @param keys [dHead, n, nHeadKv, batch]
 * @param values [dHead, n, nHeadKv, batch]
 */
public record KeysValues(Tensor keys, Tensor values) {
  /** These and others behind them. */
  public KeysValues then(KeysValues more) {
    return new KeysValues(keys.concat(more.keys, 1), values.concat(more.values, 1));
  }
}
