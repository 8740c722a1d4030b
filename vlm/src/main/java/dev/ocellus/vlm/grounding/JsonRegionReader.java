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
 * href="https://github.com/QwenLM/Qwen3-VL/blob/main/cookbooks/2d_grounding.ipynb">2d_grounding.ipynb</a>.
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

  private final Scale scale;

  JsonRegionReader(Scale scale) {
    this.scale = scale;
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
    double[] box = numbers(object.has("bbox_2d") ? object.get("bbox_2d") : object.path("bbox"));
    double[] point = numbers(object.path("point_2d"));
    if (box.length == 4) {
      regions.add(Region.box(label, scale.pixel(box[0], box[1]), scale.pixel(box[2], box[3])));
    } else if (point.length == 2) {
      Pixel pixel = scale.pixel(point[0], point[1]);
      regions.add(new Region(Region.Kind.POINT, label, List.of(pixel)));
    }
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
