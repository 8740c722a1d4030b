/**
 * Search over folders of images: an index of the vectors that a {@link
 * dev.ocellus.vlm.embedding.Embedder} makes of them, kept in line with the folder by {@link
 * dev.ocellus.search.IndexUpdate} and asked through {@link dev.ocellus.search.ImageIndex}.
 */
@org.jspecify.annotations.NullMarked
package dev.ocellus.search;
