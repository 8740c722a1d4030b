package dev.ocellus.convert.model;

import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.NameTable;
import dev.ocellus.convert.model.base.PixelLimits;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.convert.model.base.VideoKeys;
import dev.ocellus.convert.model.qwen.QwenVision;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.util.List;
import java.util.Set;

/** GLM-4.1V, 4.5V, 4.6V (arXiv:2507.01006) and GLM-OCR. */
final class Glm4vVision extends QwenVision {
  private static final NameTable GLM_NAMES =
      NAMES.with(
          "embeddings.position_embedding v.position_embd",
          "post_conv_layernorm v.norm_embd",
          "post_layernorm v.post_ln",
          "blocks.#.attn.qkv v.blk.#.attn_qkv",
          "blocks.#.attn.q_norm v.blk.#.attn_q_norm",
          "blocks.#.attn.k_norm v.blk.#.attn_k_norm",
          "blocks.#.mlp.gate_proj v.blk.#.ffn_gate",
          "blocks.#.mlp.up_proj v.blk.#.ffn_up",
          "blocks.#.mlp.down_proj v.blk.#.ffn_down",
          "downsample mm.patch_merger",
          "merger.proj mm.model.fc",
          "merger.post_projection_norm mm.post_norm",
          "merger.gate_proj mm.gate",
          "merger.up_proj mm.up",
          "merger.down_proj mm.down");

  /** Of the processor's class, for both frames of a patch together. */
  private static final PixelLimits LIMITS = new PixelLimits(112 * 112, 28 * 28 * 15_000);

  /** Of the classes of its video processors, for all frames. */
  private static final PixelLimits VIDEO_LIMITS = new PixelLimits(112 * 112, 28 * 28 * 2 * 30_000);

  private static final int FRAMES = 2;

  /** Patches on a side of what becomes one row, where the file does not say. */
  private static final int USUAL_MERGE = 2;

  private final VideoKeys videos;

  Glm4vVision(Context context) throws IOException {
    super(
        context,
        context.folder().config().modelType().equals("glm_ocr")
            ? "glm_ocr_vision"
            : "glm4v_vision");
    videos = VideoKeys.of(context.folder());
  }

  @Override
  protected String projector() {
    return "glm4v";
  }

  @Override
  protected Set<String> usualActivations() {
    return Set.of("silu");
  }

  @Override
  protected void more(GgufWriter out) {
    out.string("clip.projector_type", projector());
    activation(out);
    out.f32("clip.vision.attention.layer_norm_epsilon", (float) config.real("rms_norm_eps"));
    int merge = config.integer("spatial_merge_size");
    if (merge != USUAL_MERGE) {
      out.u32("clip.vision.spatial_merge_size", merge);
    }
    PixelLimits.ofSize(processor, LIMITS).ofFrame(FRAMES).write(out);
    videos(out);
  }

  private void videos(GgufWriter out) {
    videos.string(out, "processor", isLater() ? "glm46v" : "glm4v");
    videos.limits(out, PixelLimits.ofSize(videos.config(), VIDEO_LIMITS), VIDEO_LIMITS);
    videos.pixels(out, filter(), usualFilter(), processor, VideoKeys.CLIP_MEAN, VideoKeys.CLIP_STD);
    videos.sampling(out);
    videos.rate(out, 2);
    videos.integer(out, "max_duration", "max_duration", 300, 300);
  }

  /** Whether GLM-4.6V's processor reads the videos. */
  private boolean isLater() {
    String type = global.modelType();
    return processor
        .findString("processor_class")
        .map(name -> name.startsWith("Glm46V"))
        .orElse(type.startsWith("glm46v") || type.equals("glm_ocr"));
  }

  @Override
  protected List<TargetTensor> map(String name, LazyTensor tensor) {
    return name.equals("patch_embed.proj.weight") ? frames(tensor) : named(GLM_NAMES, name, tensor);
  }
}
