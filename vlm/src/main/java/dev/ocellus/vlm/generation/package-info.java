/**
 * Models that make images: of codes ({@link dev.ocellus.vlm.generation.VqModel}), of codes that a
 * model predicts one after the other, and of noise; and what they say how likely an image is.
 */
@org.jspecify.annotations.NullMarked
package dev.ocellus.vlm.generation;
