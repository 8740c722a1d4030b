package dev.ocellus.tests.synthetic;

import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.gguf.TensorType;
import java.util.Map;

/**
 * Sizes of a CLIP tower with LLaVA 1.5's projector, in the tensor names of the first LLaVA files.
 *
 * @param nLayer layers that are computed, and stored
 * @param nProjected width of the text model
 */
record VisionPreset(
    int imageSize, int patchSize, int nLayer, int nEmbd, int nHead, int nFf, int nProjected) {
  /**
   * {@code vit-l-336} is ViT-L/14 at 336 pixels, of whose 24 layers LLaVA uses 23, for a text model
   * of Qwen2-0.5B's width.
   */
  static final Map<String, VisionPreset> BY_NAME =
      Map.of(
          "vit-l-336", new VisionPreset(336, 14, 23, 1024, 16, 4096, 896),
          "tiny", new VisionPreset(56, 14, 2, 64, 4, 128, 64));

  GgufWriter model(TensorType type, long seed) {
    var writer = new GgufWriter();
    writer
        .string("general.architecture", "clip")
        .string("general.name", "synthetic")
        .string("general.description", "random weights, for benchmarks")
        .u32("general.file_type", FileType.of(type))
        .bool("clip.has_text_encoder", false)
        .bool("clip.has_vision_encoder", true)
        .bool("clip.has_llava_projector", true)
        .string("clip.projector_type", "mlp")
        .u32("clip.vision.image_size", imageSize)
        .u32("clip.vision.patch_size", patchSize)
        .u32("clip.vision.embedding_length", nEmbd)
        .u32("clip.vision.feed_forward_length", nFf)
        .u32("clip.vision.projection_dim", nProjected)
        .u32("clip.vision.attention.head_count", nHead)
        .f32("clip.vision.attention.layer_norm_epsilon", 1e-5f)
        .u32("clip.vision.block_count", nLayer)
        .ints("clip.vision.feature_layer", nLayer)
        .floats("clip.vision.image_mean", 0.48145466f, 0.4578275f, 0.40821073f)
        .floats("clip.vision.image_std", 0.26862954f, 0.26130258f, 0.27577711f)
        .bool("clip.use_gelu", false);
    var random = new RandomTensors(writer, type, seed);
    int grid = imageSize / patchSize;
    linear(random, "mm.0", nEmbd, nProjected);
    linear(random, "mm.2", nProjected, nProjected);
    random.vector("v.class_embd", nEmbd);
    random.table("v.patch_embd.weight", patchSize, patchSize, 3, nEmbd);
    random.table("v.position_embd.weight", nEmbd, grid * (long) grid + 1);
    norm(random, "v.pre_ln");
    for (int i = 0; i < nLayer; i++) {
      String block = "v.blk." + i + ".";
      norm(random, block + "ln1");
      for (String name : new String[] {"attn_q", "attn_k", "attn_v", "attn_out"}) {
        linear(random, block + name, nEmbd, nEmbd);
      }
      norm(random, block + "ln2");
      linear(random, block + "ffn_down", nEmbd, nFf); // the first map, in these files
      linear(random, block + "ffn_up", nFf, nEmbd);
    }
    return writer;
  }

  private void norm(RandomTensors random, String name) {
    random.ones(name + ".weight", nEmbd);
    random.vector(name + ".bias", nEmbd);
  }

  private static void linear(RandomTensors random, String name, int nIn, int nOut) {
    random.matrix(name + ".weight", nIn, nOut);
    random.vector(name + ".bias", nOut);
  }
}
