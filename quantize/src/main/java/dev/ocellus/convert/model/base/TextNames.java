package dev.ocellus.convert.model.base;

import java.util.List;
import java.util.Optional;

/** Tells which tensors of a checkpoint belong to its language model. */
public final class TextNames {
  private static final List<String> OTHERS_START =
      List.of(
          "mlp",
          "mtp.",
          "model.mtp.",
          "vit.",
          "vpm.",
          "merger.",
          "model.merger.",
          "resampler.",
          "aligner.",
          "model.aligner.",
          "vqmodel.",
          "model.vqmodel.",
          "generation_",
          "model.generation_",
          "qformer.",
          "query_tokens",
          "language_projection.",
          "image_proj",
          "image_pos_embed.",
          "visual_temporal_embed.");

  private static final List<String> OTHERS_HOLD =
      List.of(
          "visual.",
          "vision.",
          "vision_",
          "audio.",
          "audio_",
          "projector.",
          "_projectors.",
          "pre_mm_projector_norm",
          "image_newline",
          "patch_embed",
          "sam_model.",
          "qwen2_model.",
          "view_seperator",
          "patch_merger.",
          "model.connector.");

  private TextNames() {}

  /** The name without the parts that only tell that it is the text's, or nothing for others. */
  public static Optional<String> own(String name) {
    if (OTHERS_START.stream().anyMatch(name::startsWith)
        || OTHERS_HOLD.stream().anyMatch(name::contains)) {
      return Optional.empty();
    }
    String bare = name.startsWith("llm.") ? name.substring("llm.".length()) : name;
    String own = bare.replace("language_model.", "").replace("text_model.", "");
    return Optional.of(own);
  }
}
