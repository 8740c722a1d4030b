/**
 * LLaMA and what is built on it: Llama 1 to 4, LLaVA, Mistral with Pixtral, Granite, SmolLM with
 * Idefics.
 */
package dev.ocellus.convert.model.llama;
