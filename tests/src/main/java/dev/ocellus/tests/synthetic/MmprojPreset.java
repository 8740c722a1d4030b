package dev.ocellus.tests.synthetic;

import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.gguf.TensorType;
import java.util.Map;

/** Sizes of an image encoder with its projector. */
interface MmprojPreset {
  /** Those of Qwen2-0.5B, so that every encoder has a text model to stand beside. */
  int PROJECTED = 896;

  /**
   * {@code vit-l-336} is LLaVA's ViT-L/14 at 336 pixels, of whose 24 layers 23 are used; {@code
   * -anyres} the same with LLaVA-NeXT's tiles. {@code siglip-512} is SigLIP B/16 at 512 pixels with
   * SmolVLM's tiles. {@code qwen2.5-vl} has a quarter of that tower's layers, 7 with windows and
   * one without, as each quarter has.
   */
  Map<String, MmprojPreset> BY_NAME =
      Map.of(
          "vit-l-336", new VisionPreset(336, 14, 23, 1024, 16, 4096, PROJECTED, false),
          "vit-l-336-anyres", new VisionPreset(336, 14, 23, 1024, 16, 4096, PROJECTED, true),
          "siglip-512", new SiglipPreset(512, 16, 12, 768, 12, 3072, 4, PROJECTED),
          "siglip-tiny", new SiglipPreset(64, 16, 2, 64, 4, 128, 2, 64),
          "qwen2.5-vl", new QwenVisionPreset(14, 8, 1280, 16, 3420, 8, PROJECTED),
          "qwen2.5-vl-tiny", new QwenVisionPreset(14, 2, 48, 3, 108, 2, 64),
          "tiny", new VisionPreset(56, 14, 2, 64, 4, 128, 64, false));

  /** A model with random weights. */
  GgufWriter model(TensorType type, long seed);

  /** What every mmproj file says. */
  static GgufWriter start(TensorType type, String projector) {
    return new GgufWriter()
        .string("general.architecture", "clip")
        .string("general.name", "synthetic")
        .string("general.description", "random weights, for benchmarks")
        .u32("general.file_type", FileType.of(type))
        .bool("clip.has_vision_encoder", true)
        .string("clip.projector_type", projector);
  }

  /** Adds {@code name.weight} and {@code name.bias} of a linear map. */
  static void linear(RandomTensors random, String name, int nIn, int nOut) {
    random.matrix(name + ".weight", nIn, nOut);
    random.vector(name + ".bias", nOut);
  }

  /** Adds {@code name.weight} and {@code name.bias} of a layer norm. */
  static void norm(RandomTensors random, String name, int nEmbd) {
    random.ones(name + ".weight", nEmbd);
    random.vector(name + ".bias", nEmbd);
  }
}
