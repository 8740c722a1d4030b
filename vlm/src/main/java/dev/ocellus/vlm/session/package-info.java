/**
 * Saved sessions: a conversation with its images, image embeddings and KV cache in one checked
 * file.
 *
 * <p>It reads what {@code generate} keeps and gives it back.
 */
package dev.ocellus.vlm.session;
