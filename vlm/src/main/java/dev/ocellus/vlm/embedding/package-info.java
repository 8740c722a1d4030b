/**
 * Vectors of images and texts in one space: {@link dev.ocellus.vlm.embedding.Embedder}, by dual
 * encoders such as CLIP ({@link dev.ocellus.vlm.embedding.DualEncoder}) and by vision-language
 * models that were trained for it ({@link dev.ocellus.vlm.embedding.VisionLanguageEmbedder}).
 */
@org.jspecify.annotations.NullMarked
package dev.ocellus.vlm.embedding;
