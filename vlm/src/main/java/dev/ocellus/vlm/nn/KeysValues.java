package dev.ocellus.vlm.nn;

import dev.ocellus.ggml.Tensor;

/**
 * What queries attend to: keys, and values of as many rows.
 *
 * @param keys [dHead, n, nHeadKv, batch]
 * @param values [dHead, n, nHeadKv, batch]
 */
public record KeysValues(Tensor keys, Tensor values) {}
