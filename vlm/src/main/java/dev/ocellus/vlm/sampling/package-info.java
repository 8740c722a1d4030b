/**
 * Choosing the next token from a model's logits: filters, penalties, random draws and chains of
 * them, with the meaning that llama.cpp's samplers of the same names have.
 *
 * <p>{@link dev.ocellus.vlm.sampling.SamplingOptions} holds the usual settings and builds a {@link
 * dev.ocellus.vlm.sampling.SamplerChain}; {@link dev.ocellus.vlm.sampling.Samplers} makes single
 * samplers; {@link dev.ocellus.vlm.sampling.Sampler} is the one method to write for an own one.
 */
package dev.ocellus.vlm.sampling;
