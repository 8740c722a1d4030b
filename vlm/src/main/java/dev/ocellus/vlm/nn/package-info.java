/**
 * Building blocks of encoders, projectors, text towers and decoders. A block binds and checks its
 * weights when it is made; {@code forward} adds its operations to the graph of the activation.
 * Shapes are in ggml order, innermost first.
 */
package dev.ocellus.vlm.nn;
