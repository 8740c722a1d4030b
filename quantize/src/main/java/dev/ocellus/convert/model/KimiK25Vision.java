package dev.ocellus.convert.model;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.hf.HfConfig;
import dev.ocellus.convert.hf.HfFolder;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.NameTable;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.convert.model.base.VideoKeys;
import dev.ocellus.convert.model.base.VisionModel;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Kimi K2.5: MoonViT for images of any shape, and a projector over squares of patches. */
final class KimiK25Vision extends VisionModel {
  private static final NameTable NAMES =
      NameTable.of(
          "patch_embed.proj v.patch_embd",
          "encoder.patch_embed.proj v.patch_embd", // as transformers saves it
          "patch_embed.pos_emb v.position_embd",
          "encoder.blocks.#.norm0 v.blk.#.ln1",
          "encoder.blocks.#.norm1 v.blk.#.ln2",
          "encoder.blocks.#.mlp.fc0 v.blk.#.ffn_up",
          "encoder.blocks.#.mlp.fc1 v.blk.#.ffn_down",
          "encoder.blocks.#.wqkv v.blk.#.attn_qkv",
          "encoder.blocks.#.wo v.blk.#.attn_out",
          "encoder.final_layernorm v.post_ln",
          "pre_norm mm.input_norm",
          "proj.0 mm.1",
          "proj.2 mm.2");

  private static final int MAX_PATCHES = 16_384;
  private static final int MAX_SIDE = 512;

  /** What llama.cpp's converter takes for the smallest image; nothing is enlarged here. */
  private static final int MIN_PATCHES = 8;

  private static final double EPS = 1e-5;

  private final VideoKeys videos;

  KimiK25Vision(Context context) throws IOException {
    super(
        context,
        context.folder().config().section("vision_config", "kimi_k25_vision"),
        settings(context.folder()));
    videos = VideoKeys.of(context.folder());
  }

  /** Those of the published processor stand in a part of their own. */
  private static HfConfig settings(HfFolder folder) throws IOException {
    ObjectNode merged = folder.json("preprocessor_config.json").deepCopy();
    if (merged.get("media_proc_cfg") instanceof ObjectNode published) {
      published.fields().forEachRemaining(e -> merged.putIfAbsent(e.getKey(), e.getValue()));
    }
    return HfConfig.of(folder.file("preprocessor_config.json"), merged);
  }

  @Override
  protected String projector() {
    return "kimik25";
  }

  @Override
  protected int nBlock() {
    return config.integer("vt_num_hidden_layers", "num_hidden_layers");
  }

  @Override
  protected int nEmbd() {
    return config.integer("vt_hidden_size", "hidden_size");
  }

  @Override
  protected int nFf() {
    return config.integer("vt_intermediate_size", "intermediate_size");
  }

  @Override
  protected int nHead() {
    return config.integer("vt_num_attention_heads", "num_attention_heads");
  }

  @Override
  protected int imageSize() {
    return tableSide() * patchSize();
  }

  private int tableSide() {
    return config.integer("init_pos_emb_height", "pos_emb_height");
  }

  @Override
  protected Set<String> usualActivations() {
    return GELU_TANH;
  }

  @Override
  protected Optional<String> own(String name) {
    return after(name, "vision_tower.", "mm_projector.", "model.mm_projector.")
        .filter(n -> !n.endsWith("time_weight"));
  }

  @Override
  protected void more(GgufWriter out) {
    out.string("clip.projector_type", projector());
    out.u32("vision.pos_emb_height", tableSide());
    out.u32("vision.pos_emb_width", config.integer("init_pos_emb_width", "pos_emb_width"));
    out.u32("vision.pos_emb_time", config.integer("init_pos_emb_time", "pos_emb_time"));
    out.bool("clip.use_gelu", true);
    double eps =
        global
            .findReal("projection_layer_norm_eps")
            .orElse(config.findReal("projector_ln_eps").orElse(EPS));
    out.f32("clip.vision.attention.layer_norm_epsilon", (float) eps);
    out.u32("clip.vision.projector.scale_factor", merge());
    int area = patchSize() * patchSize();
    int max = processor.findInteger("max_patches", "in_patch_limit").orElse(MAX_PATCHES);
    out.u32("clip.vision.image_min_pixels", (long) MIN_PATCHES * area);
    out.u32("clip.vision.image_max_pixels", (long) max * area);
    int side = maxSide(processor);
    if (side != MAX_SIDE) {
      out.u32("clip.vision.preproc_max_side_patches", side);
    }
    videos(out, side);
  }

  private void videos(GgufWriter out, int sideOfImages) {
    videos.integer(out, "max_patches", "max_patches", 4096, 4096);
    videos.integer(out, "max_side_patches", maxSide(videos.config()), sideOfImages);
    videos.integer(out, "temporal_patch_size", "temporal_patch_size", 4, 4);
    videos.rate(out, 2);
    videos.pixels(out, filter(), usualFilter(), processor, VideoKeys.HALF, VideoKeys.HALF);
    videos.sampling(out);
  }

  private int merge() {
    int[] kernel = config.integers("merge_kernel_size");
    int merge = kernel.length == 0 ? 2 : kernel[0];
    for (int k : kernel) {
      if (k != merge) {
        throw config.invalid("merge_kernel_size", "a square", "" + k);
      }
    }
    int found = processor.findInteger("merge_size", "merge_kernel_size").orElse(merge);
    if (found != merge) {
      throw processor.invalid("merge_size", merge + ", as the encoder's", "" + found);
    }
    return merge;
  }

  private static int maxSide(HfConfig processor) {
    var size = processor.find("size");
    return size != null && size.path("max_height").isInt()
        ? size.path("max_height").asInt()
        : processor.integerOr("patch_limit_on_one_side", MAX_SIDE);
  }

  @Override
  protected List<TargetTensor> map(String name, LazyTensor tensor) {
    return named(NAMES, name, name.contains(".wqkv.") ? split(tensor) : tensor);
  }

  /**
   * In queries and keys, pairs that turn with the column stand in front of those that turn with the
   * line, where checkpoints have them by turns.
   */
  private LazyTensor split(LazyTensor qkv) {
    long rows = qkv.size(0);
    long head = (long) nEmbd() / nHead();
    if (rows != 3L * nEmbd() || head % 4 != 0) {
      throw new ConversionException(
          "Tensor %s: expected rows for queries, keys and values in heads of a multiple of 4. The checkpoint is damaged."
              .formatted(qkv));
    }
    return qkv.rearrange(
        qkv.count() / rows,
        i -> {
          if (i >= 2L * nEmbd()) {
            return i;
          }
          long at = i % head;
          long axis = at / (head / 2);
          long pair = at % (head / 2) / 2;
          return i / head * head + pair * 4 + axis * 2 + at % 2;
        },
        qkv.shape());
  }
}
