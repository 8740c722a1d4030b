package dev.ocellus.convert.model;

import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.NameTable;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.convert.model.base.VisionModel;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Kimi-VL as it is published for remote code (moonshotai/Kimi-VL-A3B-Instruct): MoonViT, and a
 * projector over squares of patches. Queries and keys keep the order of the checkpoint, as
 * llama.cpp's converter leaves them.
 */
final class KimiVlVision extends VisionModel {
  private static final NameTable NAMES =
      NameTable.of(
          "patch_embed.proj v.patch_embd",
          "patch_embed.pos_emb v.position_embd",
          "encoder.blocks.#.norm0 v.blk.#.ln1",
          "encoder.blocks.#.norm1 v.blk.#.ln2",
          "encoder.blocks.#.mlp.fc0 v.blk.#.ffn_up",
          "encoder.blocks.#.mlp.fc1 v.blk.#.ffn_down",
          "encoder.blocks.#.wq v.blk.#.attn_q",
          "encoder.blocks.#.wk v.blk.#.attn_k",
          "encoder.blocks.#.wv v.blk.#.attn_v",
          "encoder.blocks.#.wo v.blk.#.attn_out",
          "encoder.final_layernorm v.post_ln",
          "pre_norm mm.input_norm",
          "linear_1 mm.1",
          "linear_2 mm.2");

  private static final double EPS = 1e-5;
  private static final int MAX_PATCHES = 4096;

  KimiVlVision(Context context) throws IOException {
    super(context, "moonvit");
  }

  @Override
  protected String projector() {
    return "kimivl";
  }

  @Override
  protected int imageSize() {
    return tableSide() * patchSize();
  }

  /** Files hold the table in a row, so that it must be a square. */
  private int tableSide() {
    int side = config.integer("init_pos_emb_height");
    int width = config.integerOr("init_pos_emb_width", side);
    if (width != side) {
      throw config.invalid(
          "init_pos_emb_width", "%d, as the height".formatted(side), Integer.toString(width));
    }
    return side;
  }

  @Override
  protected Set<String> usualActivations() {
    return GELU_TANH;
  }

  @Override
  protected Optional<String> own(String name) {
    return after(name, "vision_tower.", "multi_modal_projector.");
  }

  @Override
  protected void more(GgufWriter out) {
    out.string("clip.projector_type", projector());
    out.bool("clip.use_gelu", true);
    out.u32("clip.vision.projector.scale_factor", merge());
    out.f32("clip.vision.attention.layer_norm_epsilon", eps(EPS));
    if (!processor.flag("pad_input", false)) {
      throw processor.invalid(
          "pad_input", "true, as in published checkpoints", "false, which cuts images");
    }
    int max = processor.integerOr("in_token_limit", MAX_PATCHES);
    if (max != MAX_PATCHES) {
      out.u32("clip.vision.image_max_pixels", (long) max * patchSize() * patchSize());
    }
  }

  private int merge() {
    int[] kernel = config.integers("merge_kernel_size");
    int merge = kernel.length == 0 ? 2 : kernel[0];
    for (int k : kernel) {
      if (k != merge) {
        throw config.invalid("merge_kernel_size", "a square", "" + k);
      }
    }
    return merge;
  }

  @Override
  protected List<TargetTensor> map(String name, LazyTensor tensor) {
    if (name.contains(".wqkv.")) {
      return thirds(
          tensor,
          gguf(NAMES, name.replace("wqkv", "wq"), tensor),
          gguf(NAMES, name.replace("wqkv", "wk"), tensor),
          gguf(NAMES, name.replace("wqkv", "wv"), tensor));
    }
    boolean table = name.startsWith("patch_embed.pos_emb.") && tensor.rank() == 3;
    return named(
        NAMES,
        name,
        table ? tensor.reshape(tensor.size(0) * tensor.size(1), tensor.size(2)) : tensor);
  }
}
