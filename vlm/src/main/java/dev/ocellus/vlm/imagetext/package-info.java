/**
 * Models in which a text attends to an image: captions, answers to questions, and whether image and
 * text match. Where they are computed; what they are is in {@code fusion}.
 */
@org.jspecify.annotations.NullMarked
package dev.ocellus.vlm.imagetext;
