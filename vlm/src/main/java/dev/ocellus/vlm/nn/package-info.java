/**
 * Building blocks of vision encoders and projectors. A block binds and checks its weights when it
 * is made; {@code forward} adds its operations to the graph of the activation. Shapes are in ggml
 * order, innermost first.
 */
package dev.ocellus.vlm.nn;
