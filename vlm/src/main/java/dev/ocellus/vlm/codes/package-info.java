/**
 * What a model that makes images of codes is, for {@code dev.ocellus.vlm.generation}: how images
 * become codes and back, and what predicts codes.
 */
@org.jspecify.annotations.NullMarked
package dev.ocellus.vlm.codes;
