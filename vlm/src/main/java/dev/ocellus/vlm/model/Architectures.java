package dev.ocellus.vlm.model;

import dev.ocellus.UnsupportedArchitectureException;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.model.tiling.AnyRes;
import dev.ocellus.vlm.vision.ImageOptions;
import dev.ocellus.vlm.vision.UnsupportedContentException;
import dev.ocellus.vlm.vision.VisionArchitecture;
import java.util.Map;
import java.util.TreeMap;

/** The vision architectures that exist, by the projector type that their files name. */
public final class Architectures {
  /** Makes an architecture from a file. */
  private interface Factory {
    VisionArchitecture create(GgufMetadata metadata, Weights weights);
  }

  private static final Map<String, Factory> BY_PROJECTOR =
      new TreeMap<>(
          Map.ofEntries(
              Map.entry("gemma3", Gemma3::new),
              Map.entry("idefics3", Idefics3::new),
              Map.entry("internvl", InternVl::new),
              Map.entry("janus_pro", JanusPro::new),
              Map.entry("mlp", Architectures::llava),
              Map.entry("paligemma", PaliGemma::new),
              Map.entry("pixtral", Pixtral::new),
              Map.entry("qwen2vl_merger", Qwen2Vl::new),
              Map.entry("qwen2.5vl_merger", Qwen25Vl::new),
              Map.entry("qwen3vl_merger", Qwen3Vl::new),
              Map.entry("resampler", MiniCpmV::new)));

  private Architectures() {}

  /**
   * @throws UnsupportedContentException if the options ask for what the architecture cannot do
   */
  public static void require(VisionArchitecture architecture, ImageOptions options) {
    if (options.panAndScan() && !architecture.pansAndScans()) {
      throw new UnsupportedContentException(
          "Models of the family %s have no pan and scan (--pan-and-scan); those of Gemma 3 do. Many others cut large images by themselves."
              .formatted(architecture.name()));
    }
  }

  /** Three families have the projector of LLaVA; how they cut images tells them apart. */
  private static VisionArchitecture llava(GgufMetadata metadata, Weights weights) {
    if (!metadata.contains(AnyRes.PINPOINTS)) {
      return new Llava(metadata, weights);
    }
    return metadata.string(AnyRes.ASPECT_RATIO, "").startsWith(LlavaOneVision.ASPECT_RATIO)
        ? new LlavaOneVision(metadata, weights)
        : new LlavaNext(metadata, weights);
  }

  /**
   * The architecture of an mmproj file.
   *
   * @throws UnsupportedArchitectureException if the file is no mmproj, or one of an unknown kind
   * @throws dev.ocellus.gguf.GgufFormatException if its metadata are incomplete
   * @throws dev.ocellus.ggml.GgmlException if weights are missing or have another shape
   */
  public static VisionArchitecture of(GgufFile file, Weights weights) {
    GgufMetadata metadata = file.metadata();
    String architecture = metadata.string("general.architecture", "");
    if (!architecture.equals("clip")) {
      throw new UnsupportedArchitectureException(
          "%s is not an image encoder (mmproj) but %s. Give the text model with -m and the encoder with --mmproj."
              .formatted(
                  file.path(),
                  architecture.isEmpty()
                      ? "a file without an architecture"
                      : "a model of architecture '" + architecture + "'"));
    }
    if (!metadata.bool("clip.has_vision_encoder", true)) {
      throw new UnsupportedArchitectureException(
          "%s has no vision encoder (clip.has_vision_encoder is false)".formatted(file.path()));
    }
    String projector =
        metadata
            .findString("clip.projector_type")
            .or(() -> metadata.findString("clip.vision.projector_type"))
            .orElse("mlp"); // the first LLaVA files do not say
    Factory factory = BY_PROJECTOR.get(projector);
    if (factory == null) {
      throw new UnsupportedArchitectureException(
          "%s: no projector type '%s' is known; known are %s"
              .formatted(file.path(), projector, BY_PROJECTOR.keySet()));
    }
    return factory.create(metadata, weights);
  }
}
