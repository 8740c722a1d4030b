package dev.ocellus.vlm.grounding;

import dev.ocellus.vlm.grounding.Region.Pixel;
import dev.ocellus.vlm.image.ImageSize;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads PaliGemma's location tokens: upper, left, lower and right edge in 1024ths, rounded to
 * pixels as Python rounds (halves to even), and the label behind them.
 *
 * <p>Source: {@code extract_objs} of the <a
 * href="https://huggingface.co/spaces/big-vision/paligemma/blob/main/paligemma_parse.py">demonstration
 * of PaliGemma</a>.
 */
final class LocationReader {
  private static final Pattern OBJECT =
      Pattern.compile(
          "<loc(\\d{4})><loc(\\d{4})><loc(\\d{4})><loc(\\d{4})>(?:<seg\\d{3}>)*\\s*([^;<]*)");
  private static final double UNITS = 1024;

  private LocationReader() {}

  static List<Region> read(String answer, ImageSize image) {
    List<Region> regions = new ArrayList<>();
    Matcher m = OBJECT.matcher(answer);
    while (m.find()) {
      Pixel first = pixel(m.group(2), m.group(1), image);
      Pixel second = pixel(m.group(4), m.group(3), image);
      regions.add(Region.box(m.group(5).strip(), first, second));
    }
    return regions;
  }

  private static Pixel pixel(String x, String y, ImageSize image) {
    return new Pixel(
        Scale.clamped(Math.rint(Integer.parseInt(x) / UNITS * image.width()), image.width()),
        Scale.clamped(Math.rint(Integer.parseInt(y) / UNITS * image.height()), image.height()));
  }
}
