package dev.ocellus.vlm.model;

import dev.ocellus.vlm.dual.DualArchitecture;
import java.util.Map;

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
}
