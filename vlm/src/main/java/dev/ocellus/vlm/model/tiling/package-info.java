/**
 * How families cut and resize an image before it is encoded: tiles, slices, crops and the order of
 * patches, and which frames of a video are taken.
 *
 * <p>Arithmetic on sizes and pixels only, without graphs or prompts.
 */
package dev.ocellus.vlm.model.tiling;
