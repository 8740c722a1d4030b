/**
 * Reads the text of pages, each family of models in the way that its authors document: as text or
 * Markdown, with places where the family gives them.
 */
package dev.ocellus.vlm.ocr;
