package dev.ocellus.convert.model.qwen;

import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.NameTable;
import dev.ocellus.convert.model.base.PixelLimits;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.convert.model.base.VideoKeys;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/**
 * Qwen2-VL (arXiv:2409.12191) and Qwen2.5-VL (arXiv:2502.13923); the latter has gated maps, and
 * attention in windows except in every n-th block.
 */
public final class Qwen2VlVision extends QwenVision {
  /** Positions are turned, not stored, so any size will do; this one has always been written. */
  private static final int IMAGE_SIZE = 560;

  /** Pixels of an image where no file says it, as the program takes them. */
  private static final PixelLimits LIMITS = new PixelLimits(56 * 56, 28 * 28 * 16_384);

  /** Of the class of its video processor, for each frame. */
  private static final PixelLimits VIDEO_LIMITS = new PixelLimits(128 * 28 * 28, 28 * 28 * 768);

  /** Patches on a side of what becomes one row, where the file does not say. */
  private static final int USUAL_MERGE = 2;

  private static final NameTable QWEN2_NAMES =
      NAMES.with(
          "blocks.#.attn.qkv v.blk.#.attn_qkv",
          "blocks.#.mlp.fc1 v.blk.#.ffn_up",
          "blocks.#.mlp.fc2 v.blk.#.ffn_down",
          "blocks.#.mlp.up_proj v.blk.#.ffn_up",
          "blocks.#.mlp.gate_proj v.blk.#.ffn_gate",
          "blocks.#.mlp.down_proj v.blk.#.ffn_down",
          "merger.ln_q v.post_ln",
          "merger.mlp.0 mm.0",
          "merger.mlp.2 mm.2");

  /** Positions in time of a second of video that Qwen2.5-VL was published with. */
  private static final int USUAL_PER_SECOND = 2;

  private final boolean windows;
  private final VideoKeys videos;

  public Qwen2VlVision(Context context) throws IOException {
    super(
        context,
        context.folder().config().modelType().equals("qwen2_5_vl")
            ? "qwen2_5_vl_vision"
            : "qwen2_vl_vision");
    windows = global.modelType().equals("qwen2_5_vl");
    videos = VideoKeys.of(context.folder());
  }

  @Override
  protected String projector() {
    return windows ? "qwen2.5vl_merger" : "qwen2vl_merger";
  }

  @Override
  protected int imageSize() {
    return config.integerOr("image_size", IMAGE_SIZE);
  }

  /** Qwen2-VL calls the width of the tower embed_dim, and that of the text hidden_size. */
  @Override
  protected int nEmbd() {
    return windows ? super.nEmbd() : config.integer("embed_dim");
  }

  @Override
  protected int nFf() {
    return windows ? super.nFf() : config.integer("hidden_size");
  }

  @Override
  protected void more(GgufWriter out) {
    out.string("clip.projector_type", projector());
    if (windows) {
      out.bool("clip.use_silu", true);
      whole(out);
      int window = config.integer("window_size");
      if (window != 112) {
        out.u32("clip.vision.window_size", window); // llama.cpp takes 112 without being told
      }
    }
    out.f32(
        "clip.vision.attention.layer_norm_epsilon",
        (float) global.findReal("rms_norm_eps").orElse(1e-6));
    int merge = config.integer("spatial_merge_size");
    if (merge != USUAL_MERGE) {
      out.u32("clip.vision.spatial_merge_size", merge);
    }
    pixelLimits(out);
    videos(out);
  }

  private void videos(GgufWriter out) {
    PixelLimits ofImages = PixelLimits.of(processor, LIMITS);
    videos.limits(out, PixelLimits.of(videos.config(), VIDEO_LIMITS), ofImages);
    videos.pixels(out, filter(), usualFilter(), processor, VideoKeys.CLIP_MEAN, VideoKeys.CLIP_STD);
    if (windows) {
      int perSecond = config.integerOr("tokens_per_second", 4);
      videos.integer(out, "tokens_per_second", perSecond, USUAL_PER_SECOND);
    }
    if (videos.samplingOnRequest(out, context)) {
      videos.integer(out, "min_frames", "min_frames", 4, 4);
      videos.integer(out, "max_frames", "max_frames", 768, 768);
    }
    if (videos.config().flag("cap_pixels_per_frame", false)) {
      videos.integer(out, "video_tokens", "max_video_tokens", 128000, 0);
    }
  }

  /**
   * Which blocks see the whole image: every n-th, which is all that llama.cpp can read of this
   * family, or others, by the key that it has for another one.
   */
  private void whole(GgufWriter out) {
    int[] full = config.integers("fullatt_block_indexes");
    Arrays.sort(full);
    for (int i : full) {
      if (i < 0 || i >= nBlock()) {
        throw config.invalid(
            "fullatt_block_indexes", "blocks of the " + nBlock(), Arrays.toString(full));
      }
    }
    int n = full.length == 0 ? nBlock() + 1 : full[0] + 1;
    int[] everyNth = new int[nBlock() / n];
    Arrays.setAll(everyNth, i -> n * (i + 1) - 1);
    if (Arrays.equals(full, everyNth)) {
      out.u32("clip.vision.n_wa_pattern", n);
      return;
    }
    out.ints("clip.vision.wa_layer_indexes", full);
  }

  @Override
  protected Set<String> usualActivations() {
    return Set.of(windows ? "silu" : "quick_gelu");
  }

  @Override
  protected List<TargetTensor> map(String name, LazyTensor tensor) {
    if (name.equals("patch_embed.proj.weight")) {
      return frames(tensor);
    }
    String target = gguf(QWEN2_NAMES, name, tensor);
    return target.contains("attn_qkv")
        ? thirds(
            tensor,
            target.replace("attn_qkv", "attn_q"),
            target.replace("attn_qkv", "attn_k"),
            target.replace("attn_qkv", "attn_v"))
        : List.of(new TargetTensor(target, tensor));
  }
}
