package dev.ocellus.vlm.grounding;

import dev.ocellus.vlm.grounding.Region.Pixel;
import dev.ocellus.vlm.image.ImageSize;

/**
 * From coordinates of an answer to pixels: {@code int(x / width * image.width)}, as the code and
 * the examples of the Qwen models have it. What lies outside of the image is moved to its edge.
 *
 * @param image size of the image as it was given
 * @param width of the image in units of the answer
 * @param height likewise
 */
record Scale(ImageSize image, double width, double height) {
  Pixel pixel(double x, double y) {
    return new Pixel(
        clamped(x / width * image.width(), image.width()),
        clamped(y / height * image.height(), image.height()));
  }

  static int clamped(double pixels, int size) {
    return (int) Math.clamp(pixels, 0, (double) size);
  }
}
