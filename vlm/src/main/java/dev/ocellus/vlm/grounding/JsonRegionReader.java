package dev.ocellus.vlm.grounding;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.ocellus.vlm.grounding.Region.Pixel;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads regions from JSON in an answer, object by object, so that one that was cut off does not
 * lose those before it.
 *
 * <p>Source: <a
 * href="https://github.com/QwenLM/Qwen3-VL/blob/main/cookbooks/2d_grounding.ipynb">2d_grounding.ipynb</a>
 * for x before y, <a href="https://ai.google.dev/gemini-api/docs/image-understanding">Gemini's
 * documentation</a> for y before x.
 */
final class JsonRegionReader {
  private static final ObjectMapper JSON =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(8).build())
                  .build())
          .build();

  /** An object that holds no other. */
  private static final Pattern OBJECT = Pattern.compile("\\{[^{}]*\\}");

  private static final List<String> LABELS = List.of("label", "text_content", "sub_label", "name");

  /**
   * What objects call their numbers.
   *
   * @param boxes keys of boxes, of which the first that is there counts
   * @param point key of a point
   * @param x where x stands of two numbers
   */
  record Keys(List<String> boxes, String point, int x) {
    /** Qwen2.5-VL's, and of those after it. */
    static final Keys X_FIRST = new Keys(List.of("bbox_2d", "bbox"), "point_2d", 0);

    /** Gemini's, which Gemma has, too. */
    static final Keys Y_FIRST = new Keys(List.of("box_2d"), "point", 1);
  }

  private final Scale scale;
  private final Keys keys;

  JsonRegionReader(Scale scale, Keys keys) {
    this.scale = scale;
    this.keys = keys;
  }

  List<Region> read(String answer) {
    List<Region> regions = new ArrayList<>();
    Matcher m = OBJECT.matcher(answer);
    while (m.find()) {
      try {
        add(regions, JSON.readTree(m.group()));
      } catch (JsonProcessingException e) {
        continue; // no region, but text in braces
      }
    }
    return regions;
  }

  private void add(List<Region> regions, JsonNode object) {
    String label = "";
    for (String key : LABELS) {
      if (label.isEmpty() && object.path(key).isTextual()) {
        label = object.get(key).asText();
      }
    }
    String key = keys.boxes.stream().filter(object::has).findFirst().orElse("");
    double[] box = numbers(object.path(key));
    double[] point = numbers(object.path(keys.point));
    if (box.length == 4) {
      regions.add(Region.box(label, pixel(box, 0), pixel(box, 2)));
    } else if (point.length == 2) {
      regions.add(new Region(Region.Kind.POINT, label, List.of(pixel(point, 0))));
    }
  }

  private Pixel pixel(double[] numbers, int at) {
    return scale.pixel(numbers[at + keys.x], numbers[at + 1 - keys.x]);
  }

  /** A list of numbers, or nothing. */
  private static double[] numbers(JsonNode list) {
    double[] out = new double[list.isArray() ? list.size() : 0];
    for (int i = 0; i < out.length; i++) {
      if (!list.get(i).isNumber()) {
        return new double[0];
      }
      out[i] = list.get(i).doubleValue();
    }
    return out;
  }
}
