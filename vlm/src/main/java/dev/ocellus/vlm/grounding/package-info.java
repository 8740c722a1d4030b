/**
 * Boxes and points that answers name: read from the notation of each family, in pixels of the image
 * that was given, and drawn onto it.
 */
package dev.ocellus.vlm.grounding;
