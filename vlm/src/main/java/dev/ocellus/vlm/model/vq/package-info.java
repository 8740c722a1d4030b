/** Parts that VQ models and other makers of images share, and the models themselves as graphs. */
@org.jspecify.annotations.NullMarked
package dev.ocellus.vlm.model.vq;
