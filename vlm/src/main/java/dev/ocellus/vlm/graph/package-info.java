/**
 * What computes graphs of any model: {@link dev.ocellus.vlm.graph.GraphRunner} holds weights and
 * devices, builds a graph for each shape of input that comes, and keeps values from one run to the
 * next. It knows no images and no text; image encoders, text towers, Q-Formers and decoders are its
 * users.
 */
@org.jspecify.annotations.NullMarked
package dev.ocellus.vlm.graph;
