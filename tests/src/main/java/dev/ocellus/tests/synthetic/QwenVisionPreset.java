package dev.ocellus.tests.synthetic;

import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.gguf.TensorType;

/**
 * Sizes of Qwen2.5-VL's tower with its projector.
 *
 * @param fullEvery of so many layers, the last is without windows
 * @param nProjected width of the text model
 */
record QwenVisionPreset(
    int patchSize, int nLayer, int nEmbd, int nHead, int nFf, int fullEvery, int nProjected)
    implements MmprojPreset {
  /** Patches of a side that become one token. */
  private static final int MERGE = 2;

  @Override
  public GgufWriter model(TensorType type, long seed) {
    GgufWriter writer =
        MmprojPreset.start(type, "qwen2.5vl_merger")
            .u32("clip.vision.image_size", 560)
            .u32("clip.vision.patch_size", patchSize)
            .u32("clip.vision.embedding_length", nEmbd)
            .u32("clip.vision.feed_forward_length", nFf)
            .u32("clip.vision.projection_dim", nProjected)
            .u32("clip.vision.attention.head_count", nHead)
            .f32("clip.vision.attention.layer_norm_epsilon", 1e-6f)
            .u32("clip.vision.block_count", nLayer)
            .u32("clip.vision.n_wa_pattern", fullEvery)
            .floats("clip.vision.image_mean", 0.48145466f, 0.4578275f, 0.40821073f)
            .floats("clip.vision.image_std", 0.26862954f, 0.26130258f, 0.27577711f)
            .bool("clip.use_silu", true);
    var random = new RandomTensors(writer, type, seed);
    int merged = MERGE * MERGE * nEmbd;
    MmprojPreset.linear(random, "mm.0", merged, merged);
    MmprojPreset.linear(random, "mm.2", merged, nProjected);
    random.table("v.patch_embd.weight", patchSize, patchSize, 3, nEmbd);
    random.table("v.patch_embd.weight.1", patchSize, patchSize, 3, nEmbd);
    for (int i = 0; i < nLayer; i++) {
      String block = "v.blk." + i + ".";
      random.ones(block + "ln1.weight", nEmbd);
      for (String name : new String[] {"attn_q", "attn_k", "attn_v", "attn_out"}) {
        MmprojPreset.linear(random, block + name, nEmbd, nEmbd);
      }
      random.ones(block + "ln2.weight", nEmbd);
      MmprojPreset.linear(random, block + "ffn_gate", nEmbd, nFf);
      MmprojPreset.linear(random, block + "ffn_up", nEmbd, nFf);
      MmprojPreset.linear(random, block + "ffn_down", nFf, nEmbd);
    }
    random.ones("v.post_ln.weight", nEmbd);
    return writer;
  }
}
