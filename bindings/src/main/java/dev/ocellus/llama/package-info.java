/**
 * libllama from Java: text models, their vocabularies, and contexts that decode.
 *
 * <p>What libllama would assert on is checked here first.
 */
package dev.ocellus.llama;
