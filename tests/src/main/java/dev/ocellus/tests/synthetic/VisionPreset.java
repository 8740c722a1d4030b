package dev.ocellus.tests.synthetic;

import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.gguf.TensorType;

/**
 * Sizes of a CLIP tower with LLaVA 1.5's projector, in the tensor names of the first LLaVA files.
 *
 * @param nLayer layers that are computed, and stored
 * @param nProjected width of the text model
 * @param anyres whether images are cut into tiles, as LLaVA-NeXT does
 */
record VisionPreset(
    int imageSize,
    int patchSize,
    int nLayer,
    int nEmbd,
    int nHead,
    int nFf,
    int nProjected,
    boolean anyres)
    implements MmprojPreset {
  @Override
  public GgufWriter model(TensorType type, long seed) {
    GgufWriter writer =
        MmprojPreset.start(type, "mlp")
            .bool("clip.has_text_encoder", false)
            .bool("clip.has_llava_projector", true)
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
    if (anyres) {
      int side = imageSize;
      writer
          .ints(
              "clip.vision.image_grid_pinpoints",
              new int[] {
                side, 2 * side, 2 * side, side, 2 * side, 2 * side, 3 * side, side, side, 3 * side
              })
          .string("clip.vision.mm_patch_merge_type", "spatial_unpad");
    }
    var random = new RandomTensors(writer, type, seed);
    int grid = imageSize / patchSize;
    if (anyres) {
      random.vector("model.image_newline", nProjected);
    }
    MmprojPreset.linear(random, "mm.0", nEmbd, nProjected);
    MmprojPreset.linear(random, "mm.2", nProjected, nProjected);
    random.vector("v.class_embd", nEmbd);
    random.table("v.patch_embd.weight", patchSize, patchSize, 3, nEmbd);
    random.table("v.position_embd.weight", nEmbd, grid * (long) grid + 1);
    MmprojPreset.norm(random, "v.pre_ln", nEmbd);
    for (int i = 0; i < nLayer; i++) {
      String block = "v.blk." + i + ".";
      MmprojPreset.norm(random, block + "ln1", nEmbd);
      for (String name : new String[] {"attn_q", "attn_k", "attn_v", "attn_out"}) {
        MmprojPreset.linear(random, block + name, nEmbd, nEmbd);
      }
      MmprojPreset.norm(random, block + "ln2", nEmbd);
      MmprojPreset.linear(random, block + "ffn_down", nEmbd, nFf); // the first map, in these files
      MmprojPreset.linear(random, block + "ffn_up", nFf, nEmbd);
    }
    return writer;
  }
}
