package dev.ocellus.convert.model.gemma;

import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.hf.HfConfig;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.NameTable;
import dev.ocellus.convert.model.base.RopeConfig;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.convert.model.base.VideoKeys;
import dev.ocellus.convert.model.base.VisionModel;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Gemma 4's image encoder: patches as rows of a matrix, tables of positions for two axes, products
 * held within ranges, a norm without weights and a matrix.
 */
public final class Gemma4Vision extends VisionModel {
  private static final NameTable NAMES =
      NameTable.of(
          "patch_embedder.input_proj v.patch_embd",
          "patch_embedder.position_embedding_table v.position_embd.weight",
          "std_bias v.std_bias",
          "std_scale v.std_scale",
          "embedding_projection mm.input_projection",
          "encoder.layers.#.input_layernorm v.blk.#.ln1",
          "encoder.layers.#.pre_feedforward_layernorm v.blk.#.ln2",
          "encoder.layers.#.post_attention_layernorm v.blk.#.attn_post_norm",
          "encoder.layers.#.post_feedforward_layernorm v.blk.#.ffn_post_norm",
          "encoder.layers.#.self_attn.q_norm v.blk.#.attn_q_norm",
          "encoder.layers.#.self_attn.k_norm v.blk.#.attn_k_norm",
          "encoder.layers.#.self_attn.q_proj v.blk.#.attn_q",
          "encoder.layers.#.self_attn.k_proj v.blk.#.attn_k",
          "encoder.layers.#.self_attn.v_proj v.blk.#.attn_v",
          "encoder.layers.#.self_attn.o_proj v.blk.#.attn_out",
          "encoder.layers.#.mlp.gate_proj v.blk.#.ffn_gate",
          "encoder.layers.#.mlp.up_proj v.blk.#.ffn_up",
          "encoder.layers.#.mlp.down_proj v.blk.#.ffn_down");

  private static final List<String> ENDS =
      List.of(".input_min", ".input_max", ".output_min", ".output_max");

  /** Any size is encoded; this one has always been written. */
  private static final int IMAGE_SIZE = 224;

  private static final int USUAL_POOL = 3;
  private static final int USUAL_TOKENS = 280;
  private static final double USUAL_THETA = 100;
  private static final Set<Integer> CAUSAL_WIDTHS = Set.of(1536, 2560);

  private final VideoKeys videos;

  public Gemma4Vision(Context context) throws IOException {
    super(context, "gemma4_vision");
    videos = VideoKeys.of(context.folder());
  }

  @Override
  protected String projector() {
    return "gemma4v";
  }

  @Override
  protected int imageSize() {
    return IMAGE_SIZE;
  }

  @Override
  protected Set<String> usualActivations() {
    return GELU_TANH;
  }

  @Override
  protected void more(GgufWriter out) {
    out.string("clip.vision.projector_type", projector());
    out.f32(
        "clip.vision.attention.layer_norm_epsilon",
        (float) config.findReal("rms_norm_eps").orElse(1e-6));
    int pool = config.integer("pooling_kernel_size");
    if (processor.integerOr("pooling_kernel_size", pool) != pool
        || processor.integerOr("patch_size", patchSize()) != patchSize()) {
      throw processor.invalid(
          "patch_size", "that of config.json, and so pooling_kernel_size", "others");
    }
    if (pool != USUAL_POOL) {
      out.u32("clip.vision.projector.scale_factor", pool);
    }
    int tokens = processor.integerOr("max_soft_tokens", USUAL_TOKENS);
    if (tokens != USUAL_TOKENS) {
      int side = pool * patchSize();
      out.u32("clip.vision.image_max_pixels", Math.multiplyExact(tokens, side * side));
    }
    double theta =
        config.find("rope_parameters") == null ? USUAL_THETA : RopeConfig.of(config).theta();
    if (theta != USUAL_THETA) {
      out.f32("clip.rope.freq_base", (float) theta);
    }
    String activation = config.findString("hidden_activation").orElse("gelu_pytorch_tanh");
    if (!usualActivations().contains(activation)) {
      requireKnown(config, activation);
      out.string("clip.vision.hidden_act", activation);
    }
    videos(out, videos, filter(), processor);
    boolean bothWays = Gemma4Text.seesImagesBothWays(context);
    if (bothWays == CAUSAL_WIDTHS.contains(nEmbdText())) {
      out.bool("clip.vision.bidirectional_images", bothWays);
    }
  }

  /** What the kinds of Gemma 4 share. */
  static void videos(GgufWriter out, VideoKeys videos, int filter, HfConfig images) {
    videos.pixels(out, filter, BICUBIC, images, VideoKeys.ZEROS, VideoKeys.ONES);
    videos.sampling(out);
    videos.integer(out, "num_frames", "num_frames", 32, 32);
    videos.integer(out, "max_tokens", "max_soft_tokens", 70, 70);
  }

  @Override
  protected Optional<String> own(String name) {
    return after(
        name, "model.vision_tower.", "vision_tower.", "model.embed_vision.", "embed_vision.");
  }

  @Override
  protected List<TargetTensor> map(String name, LazyTensor tensor) {
    for (String end : ENDS) {
      if (name.endsWith(end)) {
        String stem = name.substring(0, name.length() - end.length());
        return List.of(new TargetTensor(gguf(NAMES, stem, tensor) + end, finite(tensor)));
      }
    }
    if (name.equals("patch_embedder.input_proj.weight")) {
      return List.of(new TargetTensor("v.patch_embd.weight", kernel(tensor)));
    }
    return named(NAMES, name.replace(".linear.weight", ".weight"), tensor);
  }

  /** The end of a range; one without end is as good as the largest number. */
  private static LazyTensor finite(LazyTensor tensor) {
    LazyTensor end = tensor.reshape(1);
    float value = end.values()[0];
    return Float.isInfinite(value)
        ? LazyTensor.of(tensor.name(), Math.copySign(Float.MAX_VALUE, value))
        : end;
  }

  /** From rows of pixels with their colours beside each other to a kernel with planes. */
  private LazyTensor kernel(LazyTensor tensor) {
    int side = patchSize();
    int pixels = side * side;
    if (tensor.rank() != 2 || tensor.size(1) != 3L * pixels) {
      throw new ConversionException(
          "Tensor %s: expected rows of %d x %d pixels of three colours. Configuration and tensors are not of one checkpoint."
              .formatted(tensor, side, side));
    }
    return tensor.rearrange(
        1,
        i -> i / (3L * pixels) * (3L * pixels) + i % pixels * 3 + i / pixels % 3,
        tensor.size(0),
        3,
        side,
        side);
  }
}
