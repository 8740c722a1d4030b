package dev.ocellus.vlm.model;

import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.fusion.CaptionArchitecture;
import dev.ocellus.vlm.fusion.MatchArchitecture;
import dev.ocellus.vlm.fusion.QuestionArchitecture;
import java.util.Map;
import java.util.function.Function;

/** The families whose texts attend to images, by {@code clip.model_type}. */
final class FusionFamilies {
  private static final String NAME = "model type";
  private static final Function<GgufMetadata, String> KEY =
      metadata -> metadata.string("clip.model_type", "");

  static final Families<CaptionArchitecture> CAPTIONERS =
      new Families<>(
          ModelKind.CAPTIONER,
          NAME,
          KEY,
          Map.of(
              "blip-caption", Blip::captioner,
              "internvl_c", InternVlFusion::captioner,
              "internvl_g", InternVlFusion::captioner));

  static final Families<QuestionArchitecture> QUESTION_ANSWERERS =
      new Families<>(
          ModelKind.QUESTION_ANSWERER, NAME, KEY, Map.of("blip-vqa", Blip::questionAnswerer));

  static final Families<MatchArchitecture> MATCHERS =
      new Families<>(
          ModelKind.MATCHER,
          NAME,
          KEY,
          Map.of(
              "blip-itm", Blip::matcher,
              "internvl_c", InternVlFusion::matcher,
              "internvl_g", InternVlFusion::matcher));

  private FusionFamilies() {}
}
