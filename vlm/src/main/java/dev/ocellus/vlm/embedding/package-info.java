/**
 * Vectors of images and texts in one space, by dual encoders such as CLIP: {@link
 * dev.ocellus.vlm.embedding.DualEncoder}.
 */
@org.jspecify.annotations.NullMarked
package dev.ocellus.vlm.embedding;
