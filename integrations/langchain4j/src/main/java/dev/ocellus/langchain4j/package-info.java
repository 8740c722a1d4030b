/**
 * Ocellus as models of LangChain4j, computed in this process.
 *
 * <p>{@link dev.ocellus.langchain4j.OcellusChatModel} and {@link
 * dev.ocellus.langchain4j.OcellusStreamingChatModel} chat about images, call tools and keep to JSON
 * schemas; {@link dev.ocellus.langchain4j.OcellusEmbeddingModel} puts texts and images into one
 * space.
 */
@NullMarked
package dev.ocellus.langchain4j;

import org.jspecify.annotations.NullMarked;
