package dev.ocellus.vlm.grounding;

import dev.ocellus.vlm.grounding.Region.Pixel;
import dev.ocellus.vlm.image.ImageSize;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads boxes between DeepSeek-OCR's marks, {@code <|ref|>label<|/ref|><|det|>[[x1, y1, x2,
 * y2]]<|/det|>}, in 999ths of the image.
 *
 * <p>Source: {@code draw_bounding_boxes} and {@code re_match} of <a
 * href="https://huggingface.co/deepseek-ai/DeepSeek-OCR/blob/main/modeling_deepseekocr.py">DeepSeek-OCR</a>.
 */
public final class MarkReader {
  private static final double UNITS = 999;
  private static final Pattern MARK =
      Pattern.compile(
          "<\\|ref\\|>(.*?)<\\|/ref\\|><\\|det\\|>(.*?)<\\|/det\\|>\\n?", Pattern.DOTALL);
  private static final Pattern BOX =
      Pattern.compile(
          "\\[\\s*(\\d{1,5})\\s*,\\s*(\\d{1,5})\\s*,\\s*(\\d{1,5})\\s*,\\s*(\\d{1,5})\\s*]");

  private MarkReader() {}

  /** The boxes of an answer, in pixels of an image of this size. */
  public static List<Region> read(String answer, ImageSize image) {
    var scale = new Scale(image, UNITS, UNITS);
    List<Region> regions = new ArrayList<>();
    Matcher m = MARK.matcher(answer);
    while (m.find()) {
      Matcher box = BOX.matcher(m.group(2));
      while (box.find()) {
        List<Pixel> corners = List.of(pixel(scale, box, 1), pixel(scale, box, 3));
        regions.add(new Region(Region.Kind.BOX, m.group(1).strip(), corners));
      }
    }
    return regions;
  }

  /** The answer without its marks. */
  public static String text(String answer) {
    return MARK.matcher(answer).replaceAll("");
  }

  private static Pixel pixel(Scale scale, Matcher box, int group) {
    return scale.pixel(Integer.parseInt(box.group(group)), Integer.parseInt(box.group(group + 1)));
  }
}
