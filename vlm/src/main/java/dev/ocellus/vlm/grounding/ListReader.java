package dev.ocellus.vlm.grounding;

import dev.ocellus.vlm.grounding.Region.Pixel;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads boxes and points that are lists of numbers: GLM-4V's {@code [[x1,y1,x2,y2]]}, which stand
 * between {@code <|begin_of_box|>} and {@code <|end_of_box|>} or alone, and JSON with labels where
 * that is asked for. Lists in what the model thinks to itself are none of its answer.
 *
 * <p>Source: <a href="https://github.com/zai-org/GLM-V/tree/main/skills/glmv-grounding">GLM-V's
 * grounding</a>: relative coordinates from 0 to 1000.
 */
final class ListReader {
  private static final Pattern ANSWER =
      Pattern.compile("<\\|begin_of_box\\|>(.*?)<\\|end_of_box\\|>", Pattern.DOTALL);
  private static final String THOUGHT = "</think>";
  private static final String NUMBER = "\\s*(\\d{1,9}(?:\\.\\d{1,9})?)\\s*";
  private static final Pattern LIST =
      Pattern.compile("\\[" + NUMBER + "," + NUMBER + "(?:," + NUMBER + "," + NUMBER + ")?\\]");

  private final Scale scale;

  ListReader(Scale scale) {
    this.scale = scale;
  }

  List<Region> read(String answer) {
    List<Region> labelled = new JsonRegionReader(scale, JsonRegionReader.Keys.X_FIRST).read(answer);
    if (!labelled.isEmpty()) {
      return labelled;
    }
    List<Region> regions = new ArrayList<>();
    Matcher m = ANSWER.matcher(answer);
    boolean marked = false;
    while (m.find()) {
      marked = true;
      lists(m.group(1), regions, true);
    }
    if (!marked) {
      lists(answer.substring(answer.lastIndexOf(THOUGHT) + 1), regions, false);
    }
    return regions;
  }

  private void lists(String text, List<Region> regions, boolean points) {
    if (text.indexOf('{') >= 0) {
      return; // JSON, whose lists are not such
    }
    Matcher m = LIST.matcher(text);
    while (m.find()) {
      Pixel first = pixel(m, 1);
      if (m.group(3) != null) {
        regions.add(Region.box("", first, pixel(m, 3)));
      } else if (points) {
        regions.add(new Region(Region.Kind.POINT, "", List.of(first)));
      }
    }
  }

  private Pixel pixel(Matcher m, int group) {
    return scale.pixel(Double.parseDouble(m.group(group)), Double.parseDouble(m.group(group + 1)));
  }
}
