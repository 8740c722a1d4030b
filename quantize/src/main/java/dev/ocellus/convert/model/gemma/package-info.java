/** Google's models with Gemma's language model: Gemma 1 to 4 and PaliGemma. */
package dev.ocellus.convert.model.gemma;
