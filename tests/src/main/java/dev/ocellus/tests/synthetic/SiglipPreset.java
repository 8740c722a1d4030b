package dev.ocellus.tests.synthetic;

import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.gguf.TensorType;

/**
 * Sizes of a SigLIP tower with Idefics3's projector; images become up to 4 by 4 tiles and one of
 * the whole.
 *
 * @param scale patches of a side that become one row
 * @param nProjected width of the text model
 */
record SiglipPreset(
    int imageSize,
    int patchSize,
    int nLayer,
    int nEmbd,
    int nHead,
    int nFf,
    int scale,
    int nProjected)
    implements MmprojPreset {
  @Override
  public GgufWriter model(TensorType type, long seed) {
    GgufWriter writer =
        MmprojPreset.start(type, "idefics3")
            .u32("clip.vision.image_size", imageSize)
            .u32("clip.vision.preproc_image_size", 4L * imageSize)
            .u32("clip.vision.patch_size", patchSize)
            .u32("clip.vision.embedding_length", nEmbd)
            .u32("clip.vision.feed_forward_length", nFf)
            .u32("clip.vision.projection_dim", nProjected)
            .u32("clip.vision.attention.head_count", nHead)
            .f32("clip.vision.attention.layer_norm_epsilon", 1e-6f)
            .u32("clip.vision.block_count", nLayer)
            .u32("clip.vision.projector.scale_factor", scale)
            .floats("clip.vision.image_mean", 0.5f, 0.5f, 0.5f)
            .floats("clip.vision.image_std", 0.5f, 0.5f, 0.5f)
            .bool("clip.use_gelu", true);
    var random = new RandomTensors(writer, type, seed);
    int grid = imageSize / patchSize;
    random.matrix("mm.model.fc.weight", (long) nEmbd * scale * scale, nProjected);
    random.table("v.patch_embd.weight", patchSize, patchSize, 3, nEmbd);
    random.vector("v.patch_embd.bias", nEmbd);
    random.vector("v.position_embd.weight", nEmbd, grid * (long) grid);
    for (int i = 0; i < nLayer; i++) {
      String block = "v.blk." + i + ".";
      MmprojPreset.norm(random, block + "ln1", nEmbd);
      for (String name : new String[] {"attn_q", "attn_k", "attn_v", "attn_out"}) {
        MmprojPreset.linear(random, block + name, nEmbd, nEmbd);
      }
      MmprojPreset.norm(random, block + "ln2", nEmbd);
      MmprojPreset.linear(random, block + "ffn_up", nEmbd, nFf);
      MmprojPreset.linear(random, block + "ffn_down", nFf, nEmbd);
    }
    MmprojPreset.norm(random, "v.post_ln", nEmbd);
    return writer;
  }
}
