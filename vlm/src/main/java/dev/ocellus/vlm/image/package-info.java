/**
 * From decoded images and videos to the numbers that a vision tower reads: orientation, resizing
 * and normalisation with the same bytes as Pillow and HuggingFace's processors. Files are read by
 * {@code dev.ocellus.vlm.image.codec}.
 */
package dev.ocellus.vlm.image;
