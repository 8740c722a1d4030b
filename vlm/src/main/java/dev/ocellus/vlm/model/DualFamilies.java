package dev.ocellus.vlm.model;

import dev.ocellus.InvalidSettingException;
import dev.ocellus.Setting;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.vlm.dual.DualArchitecture;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** The families of dual encoders, by a key of ours that clip.cpp's files do not have. */
final class DualFamilies {
  static final Families<DualArchitecture> ALL =
      new Families<>(
          ModelKind.DUAL_ENCODER,
          "model type",
          metadata -> metadata.string("clip.model_type", "clip"),
          Map.of(
              "clip", Clip::of,
              "clip_bert", Clip::withBert,
              "chinese_clip", ChineseClip::of,
              "siglip", Siglip::of,
              "siglip2", Siglip::naflex,
              "vision_text_dual", VisionTextDual::of,
              "internvl_c", InternVlDual::contrastive,
              "internvl_g", InternVlDual::generative));

  private DualFamilies() {}

  /**
   * The model of a file as a type that it need not name itself.
   *
   * @param type what {@code clip.model_type} might say of the same weights
   * @throws InvalidSettingException if the file holds no such model
   */
  static DualArchitecture open(GgufFile file, Weights weights, String type) {
    String own = file.metadata().string("clip.model_type", "clip");
    Set<String> types = InternVlDual.TYPES.contains(own) ? InternVlDual.TYPES : Set.of(own);
    if (!types.contains(type)) {
      throw new InvalidSettingException(
          "model type: expected one that %s holds (%s), found '%s'"
              .formatted(file.path(), String.join(", ", new TreeSet<>(types)), type),
          Setting.MODEL_TYPE);
    }
    return ALL.open(file, weights, type);
  }
}
