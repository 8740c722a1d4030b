/** From messages to what a model decodes: rendering, tokenizing, and places for pictures. */
package dev.ocellus.vlm.prompt;
