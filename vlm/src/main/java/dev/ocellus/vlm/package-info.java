/**
 * The door for Java applications: {@link dev.ocellus.vlm.VisionLanguageModel} opens a model, {@link
 * dev.ocellus.vlm.ChatSession} is a conversation with it.
 *
 * <p>It wires the other packages together and may use all of them; none of them uses it.
 */
package dev.ocellus.vlm;
