/**
 * From an image file to the numbers that a vision tower reads: decoding, orientation, resizing and
 * normalisation with the same bytes as Pillow and HuggingFace's processors.
 */
package dev.ocellus.vlm.image;
