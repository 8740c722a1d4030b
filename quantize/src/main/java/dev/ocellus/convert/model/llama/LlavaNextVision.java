package dev.ocellus.convert.model.llama;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.convert.hf.HfConfig;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * LLaVA-NeXT (<a href="https://llava-vl.github.io/blog/2024-01-30-llava-next/">its page</a>): LLaVA
 * with a grid of tiles, and a learned row for the end of each line of them.
 */
public final class LlavaNextVision extends LlavaVision {
  public LlavaNextVision(Context context) throws IOException {
    super(context);
  }

  @Override
  protected void more(GgufWriter out) {
    out.ints("clip.vision.image_grid_pinpoints", pinpoints(global));
    out.u32("clip.vision.image_crop_resolution", imageSize());
    out.string("clip.vision.image_aspect_ratio", "anyres");
    out.u32("clip.vision.image_split_resolution", imageSize());
    out.string("clip.vision.mm_patch_merge_type", "spatial_unpad");
  }

  /** Sizes that images may be brought to, one after the other: height, width. */
  static int[] pinpoints(HfConfig config) {
    JsonNode list = config.find("image_grid_pinpoints");
    List<Integer> out = new ArrayList<>();
    if (list != null && list.isArray()) {
      for (JsonNode pair : list) {
        for (JsonNode side : pair) {
          out.add(side.asInt(-1));
        }
      }
    }
    if (out.isEmpty() || out.size() % 2 != 0 || out.stream().anyMatch(s -> s < 1)) {
      throw config.invalid("image_grid_pinpoints", "pairs of sizes", String.valueOf(list));
    }
    return out.stream().mapToInt(Integer::intValue).toArray();
  }
}
