/** From messages to what a model decodes: rendering, tokenizing, and places for images. */
package dev.ocellus.vlm.prompt;
