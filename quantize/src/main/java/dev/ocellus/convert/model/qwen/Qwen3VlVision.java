package dev.ocellus.convert.model.qwen;

import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.NameTable;
import dev.ocellus.convert.model.base.PixelLimits;
import dev.ocellus.convert.model.base.RopeConfig;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.convert.model.base.VideoKeys;
import dev.ocellus.gguf.GgufArray;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.util.List;
import java.util.Set;

/**
 * Qwen3-VL (arXiv:2511.21631): learned positions, and mergers after some blocks whose rows enter
 * the text model's first layers. Qwen3.5 and later have the same encoder without those mergers.
 */
public final class Qwen3VlVision extends QwenVision {
  private static final NameTable QWEN3_NAMES =
      NAMES.with(
          "pos_embed v.position_embd",
          "blocks.#.attn.qkv v.blk.#.attn_qkv",
          "blocks.#.mlp.linear_fc1 v.blk.#.ffn_up",
          "blocks.#.mlp.linear_fc2 v.blk.#.ffn_down",
          "merger.norm v.post_ln",
          "merger.linear_fc1 mm.0",
          "merger.linear_fc2 mm.2");

  private static final NameTable DEEPSTACK =
      NameTable.of("norm norm", "linear_fc1 fc1", "linear_fc2 fc2");

  /** The base of the rotation, which no file can say otherwise. */
  private static final double THETA = 10000;

  /** Pixels of all frames of a video in the published processors, and in their class. */
  private static final PixelLimits VIDEO_LIMITS = new PixelLimits(4096, 25_165_824);

  private static final PixelLimits CLASS_LIMITS = new PixelLimits(128 * 32 * 32, 32 * 32 * 768);

  private final VideoKeys videos;

  /** Blocks whose rows enter the text model too. */
  private final int[] deepstack;

  private static final String MERGERS = "deepstack_merger_list.";

  public Qwen3VlVision(Context context) throws IOException {
    super(context, classOf(context));
    deepstack =
        config.modelType().startsWith("qwen3_5") || global.modelType().startsWith("qwen3_5")
            ? new int[0]
            : config.integers("deepstack_visual_indexes");
    videos = VideoKeys.of(context.folder());
    double theta = RopeConfig.of(config).theta();
    if (theta != THETA) {
      throw config.invalid("rope_parameters.rope_theta", "10000", "" + theta);
    }
  }

  private static String classOf(Context context) {
    return context.folder().config().modelType().startsWith("qwen3_5")
        ? "qwen3_5_vision"
        : "qwen3_vl_vision";
  }

  @Override
  protected String projector() {
    return "qwen3vl_merger";
  }

  @Override
  protected int imageSize() {
    int positions = config.integer("num_position_embeddings");
    return config
        .findInteger("image_size")
        .orElse((int) (Math.sqrt(positions) * config.integer("patch_size")));
  }

  @Override
  protected Set<String> usualActivations() {
    return GELU_TANH;
  }

  private boolean[] deepstackBlocks() {
    boolean[] out = new boolean[nBlock()];
    for (int i : deepstack) {
      if (i < 0 || i >= out.length) {
        throw config.invalid("deepstack_visual_indexes", "indices of blocks", "" + i);
      }
      out[i] = true;
    }
    return out;
  }

  @Override
  protected void more(GgufWriter out) {
    out.string("clip.projector_type", projector());
    out.bool("clip.use_gelu", true);
    out.u32("clip.vision.spatial_merge_size", config.integer("spatial_merge_size"));
    double eps =
        global
            .findSection("text_config", "qwen3_vl_text")
            .map(t -> t.real("rms_norm_eps"))
            .orElse(1e-6);
    out.f32("clip.vision.attention.layer_norm_epsilon", (float) eps);
    out.put("clip.vision.is_deepstack_layers", GgufArray.ofBooleans(deepstackBlocks()));
    pixelLimits(out);
    videos(out);
  }

  private void videos(GgufWriter out) {
    videos.limits(out, PixelLimits.ofSize(videos.config(), CLASS_LIMITS), VIDEO_LIMITS);
    videos.pixels(out, filter(), usualFilter(), processor, VideoKeys.HALF, VideoKeys.HALF);
    videos.sampling(out);
    videos.rate(out, 2);
    videos.integer(out, "min_frames", "min_frames", 4, 4);
    videos.integer(out, "max_frames", "max_frames", 768, 768);
    if (videos.config().flag("cap_pixels_per_frame", false)) {
      videos.integer(out, "frame_tokens", "max_video_tokens", 768, 0);
    }
  }

  @Override
  protected List<TargetTensor> map(String name, LazyTensor tensor) {
    if (name.equals("patch_embed.proj.weight")) {
      return frames(tensor);
    }
    if (!name.startsWith(MERGERS)) {
      return named(QWEN3_NAMES, name, tensor);
    }
    String[] parts = name.substring(MERGERS.length()).split("\\.", 2);
    int index = parts[0].matches("\\d{1,4}") ? Integer.parseInt(parts[0]) : -1;
    if (index < 0 || index >= deepstack.length || parts.length < 2) {
      throw config.invalid(
          "deepstack_visual_indexes", "an entry for " + name, "only " + deepstack.length);
    }
    return List.of(
        new TargetTensor(
            "v.deepstack.%d.%s".formatted(deepstack[index], gguf(DEEPSTACK, parts[1], tensor)),
            tensor));
  }
}
