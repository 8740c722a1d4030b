/**
 * From image files and directories of frames to {@link dev.ocellus.vlm.image.RgbImage} and {@link
 * dev.ocellus.vlm.image.Video}: decoding with the same bytes as Pillow, upright by the EXIF
 * orientation.
 */
package dev.ocellus.vlm.image.codec;
