package dev.ocellus.vlm.template;

/**
 * A stretch of a rendered prompt that has one origin.
 *
 * @param text never empty in a {@link Rendered}
 * @param origin who wrote it
 */
public record Span(String text, Origin origin) {}
