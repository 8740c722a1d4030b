package dev.ocellus.vlm.grounding;

import dev.ocellus.vlm.grounding.Region.Pixel;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads boxes between tags. A reference labels the boxes that follow it without text between.
 *
 * <p>Source: {@code _fetch_all_box_with_ref} of Qwen-VL's <a
 * href="https://huggingface.co/Qwen/Qwen-VL-Chat/blob/main/tokenization_qwen.py">tokenization_qwen.py</a>,
 * which gives the label to the first of them only.
 */
final class TagReader {
  private static final Pattern TAGGED =
      Pattern.compile(
          "(?:<ref>|<\\|object_ref_start\\|>)([^<]*)(?:</ref>|<\\|object_ref_end\\|>)"
              + "|(?:<box>|<\\|box_start\\|>)([^<]*)(?:</box>|<\\|box_end\\|>)"
              + "|(?:<quad>|<\\|quad_start\\|>)([^<]*)(?:</quad>|<\\|quad_end\\|>)");

  private static final Pattern NUMBER = Pattern.compile("\\d{1,9}(?:\\.\\d{1,9})?");
  private static final int BOX = 4;
  private static final int QUAD = 8;

  private final Scale scale;
  private final List<Region> regions = new ArrayList<>();

  TagReader(Scale scale) {
    this.scale = scale;
  }

  List<Region> read(String answer) {
    String label = "";
    int end = 0;
    Matcher m = TAGGED.matcher(answer);
    while (m.find()) {
      boolean adjacent = answer.substring(end, m.start()).isBlank();
      end = m.end();
      if (m.group(1) != null) {
        label = m.group(1).strip();
        continue;
      }
      label = adjacent ? label : "";
      if (m.group(2) != null) {
        boxes(label, pixels(m.group(2)));
      } else {
        quad(label, pixels(m.group(3)));
      }
    }
    return regions;
  }

  private List<Pixel> pixels(String text) {
    List<Double> numbers =
        NUMBER.matcher(text).results().map(r -> Double.valueOf(r.group())).toList();
    List<Pixel> pixels = new ArrayList<>();
    for (int i = 0; i + 1 < numbers.size(); i += 2) {
      pixels.add(scale.pixel(numbers.get(i), numbers.get(i + 1)));
    }
    return numbers.size() % 2 == 0 ? pixels : List.of();
  }

  /** One box or several in brackets, or a point. */
  private void boxes(String label, List<Pixel> pixels) {
    if (pixels.size() == 1) {
      regions.add(new Region(Region.Kind.POINT, label, pixels));
    } else if (pixels.size() * 2 % BOX == 0) {
      for (int i = 0; i < pixels.size(); i += 2) {
        regions.add(Region.box(label, pixels.get(i), pixels.get(i + 1)));
      }
    }
  }

  private void quad(String label, List<Pixel> pixels) {
    if (pixels.size() * 2 == QUAD) {
      regions.add(new Region(Region.Kind.POLYGON, label, pixels));
    }
  }
}
