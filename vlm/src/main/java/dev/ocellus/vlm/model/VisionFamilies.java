package dev.ocellus.vlm.model;

import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.model.tiling.AnyRes;
import dev.ocellus.vlm.vision.VisionArchitecture;
import java.util.Map;

/** The vision families of chats, by the projector type that their files name. */
final class VisionFamilies {
  static final String PROJECTOR = "clip.projector_type";

  /** Where files with encoders of several media name the one of images. */
  static final String VISION_PROJECTOR = "clip.vision.projector_type";

  static final Families<VisionArchitecture> ALL =
      new Families<>(
          ModelKind.IMAGE_ENCODER,
          "projector type",
          VisionFamilies::projector,
          Map.ofEntries(
              Map.entry("blip2", Blip2::of),
              Map.entry("florence2", Florence2::of),
              Map.entry("deepseekocr2", DeepseekOcr2::of),
              Map.entry("gemma3", Gemma3::of),
              Map.entry("granite4_vision", Granite4Vision::of),
              Map.entry("glm4v", Glm4v::of),
              Map.entry("hunyuanvl", HunyuanVl::of),
              Map.entry("gemma4v", Gemma4::of),
              Map.entry("gemma4uv", Gemma4Unified::of),
              Map.entry("idefics3", Idefics3::of),
              Map.entry("instructblip", InstructBlip::of),
              Map.entry("internvl", InternVl::of),
              Map.entry("janus_pro", JanusPro::of),
              Map.entry("lfm2", Lfm2Vl::of),
              Map.entry("kimik25", KimiK25::of),
              Map.entry("kimivl", KimiVl::of),
              Map.entry("llama4", Llama4::of),
              Map.entry("lightonocr", Pixtral::lightOnOcr),
              Map.entry("minicpmv4_6", MiniCpmV46::of),
              Map.entry("minicpmv4_7", MiniCpmV46::onPlane),
              Map.entry("mllama", Mllama::of),
              Map.entry("mlp", VisionFamilies::llava),
              Map.entry("paddleocr", PaddleOcr::of),
              Map.entry("paligemma", PaliGemma::of),
              Map.entry("pixtral", Pixtral::of),
              Map.entry("qwen_vl", QwenVl::of),
              Map.entry("qwen2vl_merger", Qwen2Vl::of),
              Map.entry("qwen2.5vl_merger", Qwen25Vl::of),
              Map.entry("qwen3vl_merger", Qwen3Vl::of),
              Map.entry("resampler", MiniCpmV::of)));

  private VisionFamilies() {}

  private static String projector(GgufMetadata metadata) {
    return metadata
        .findString(PROJECTOR)
        .or(() -> metadata.findString(VISION_PROJECTOR))
        .orElse("mlp"); // the first LLaVA files do not say
  }

  /** Three families have the projector of LLaVA; how they cut images tells them apart. */
  private static VisionArchitecture llava(GgufMetadata metadata, Weights weights) {
    if (!metadata.contains(AnyRes.PINPOINTS)) {
      return Llava.of(metadata, weights);
    }
    return metadata.string(AnyRes.ASPECT_RATIO, "").startsWith(LlavaOneVision.ASPECT_RATIO)
        ? LlavaOneVision.of(metadata, weights)
        : LlavaNext.of(metadata, weights);
  }
}
