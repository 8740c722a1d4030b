package dev.ocellus.convert.model.llama;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.util.Optional;

/** LightOnOCR: Pixtral's encoder with Mistral 3's projector, and nothing between lines. */
public final class LightOnOcrVision extends PixtralVision {
  /** Of the image processor's class. */
  private static final int USUAL_UNIT = 16;

  private final int unit;

  public LightOnOcrVision(Context context) throws IOException {
    super(context);
    unit = unit(context);
  }

  /**
   * What the image processor rounds sides up to; the processor's own number of this name is that of
   * the tower.
   */
  private static int unit(Context context) throws IOException {
    JsonNode inside = context.folder().json("processor_config.json").path("image_processor");
    JsonNode settings =
        inside.isObject() ? inside : context.folder().json("preprocessor_config.json");
    JsonNode size = settings.path("patch_size");
    return size.isObject() ? size.path("height").asInt(USUAL_UNIT) : size.asInt(USUAL_UNIT);
  }

  @Override
  protected void more(GgufWriter out) {
    super.more(out);
    int merge = global.integer("spatial_merge_size");
    if (unit != patchSize() * merge) {
      out.u32("clip.vision.preproc_patch_size", unit);
    }
  }

  @Override
  protected String projector() {
    return "lightonocr";
  }

  /** Qwen3's, which is the text model. */
  @Override
  double usualMergerEps() {
    return 1e-6;
  }

  @Override
  protected Optional<String> own(String name) {
    return after(
        name,
        "model.vision_encoder.",
        "vision_encoder.",
        "model.vision_projection.",
        "vision_projection.");
  }
}
