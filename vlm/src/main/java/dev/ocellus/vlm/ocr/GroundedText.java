package dev.ocellus.vlm.ocr;

import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.grounding.Region;
import dev.ocellus.vlm.grounding.Region.Pixel;
import dev.ocellus.vlm.image.ImageSize;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Markdown with the place of each part in front of it: what stands in marks is taken out and read,
 * in 999ths of the image.
 *
 * <p>Source: {@code draw_bounding_boxes} and {@code re_match} of <a
 * href="https://huggingface.co/deepseek-ai/DeepSeek-OCR/blob/main/modeling_deepseekocr.py">DeepSeek-OCR</a>.
 */
final class GroundedText {
  private static final double UNITS = 999;
  private static final Pattern MARK =
      Pattern.compile(
          "<\\|ref\\|>(.*?)<\\|/ref\\|><\\|det\\|>(.*?)<\\|/det\\|>\\n?", Pattern.DOTALL);
  private static final Pattern BOX =
      Pattern.compile(
          "\\[\\s*(\\d{1,5})\\s*,\\s*(\\d{1,5})\\s*,\\s*(\\d{1,5})\\s*,\\s*(\\d{1,5})\\s*]");
  private static final Pattern CONTROL = Pattern.compile("<[|\uFF5C][^<>]{1,40}[|\uFF5C]>");

  private GroundedText() {}

  static PageText read(String all, Answer answer, ImageSize page) {
    List<Region> regions = new ArrayList<>();
    StringBuilder text = new StringBuilder();
    Matcher m = MARK.matcher(all);
    int end = 0;
    while (m.find()) {
      text.append(all, end, m.start());
      end = m.end();
      Matcher box = BOX.matcher(m.group(2));
      while (box.find()) {
        regions.add(
            new Region(
                Region.Kind.BOX,
                m.group(1).strip(),
                List.of(pixel(box, 1, page), pixel(box, 3, page))));
      }
    }
    text.append(all, end, all.length());
    return new PageText(CONTROL.matcher(text).replaceAll("").strip(), regions, answer);
  }

  private static Pixel pixel(Matcher box, int group, ImageSize page) {
    return new Pixel(at(box.group(group), page.width()), at(box.group(group + 1), page.height()));
  }

  private static int at(String number, int size) {
    return (int) Math.min(size, Integer.parseInt(number) / UNITS * size);
  }
}
