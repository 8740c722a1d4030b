package dev.ocellus.vlm.template.text;

/**
 * A stretch of a rendered prompt that has one origin.
 *
 * @param text never empty in a rendered prompt
 * @param origin who wrote it
 */
public record Span(String text, Origin origin) {}
