/**
 * What a family of dual encoders says of itself: an encoder of images and one of texts, whose
 * vectors are compared. {@link dev.ocellus.vlm.model} has the families, {@link
 * dev.ocellus.vlm.embedding} computes with them.
 */
@org.jspecify.annotations.NullMarked
package dev.ocellus.vlm.dual;
