/**
 * Ocellus as models of Spring AI, computed in this process.
 *
 * <p>{@link dev.ocellus.springai.OcellusChatModel} chats about images, calls tools and keeps to
 * JSON schemas; {@link dev.ocellus.springai.OcellusEmbeddingModel} and {@link
 * dev.ocellus.springai.OcellusDocumentEmbeddingModel} put texts and images into one space.
 */
@NullMarked
package dev.ocellus.springai;

import org.jspecify.annotations.NullMarked;
