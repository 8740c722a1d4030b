package dev.ocellus.convert.model.llama;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.NameTable;
import dev.ocellus.convert.model.base.RopeConfig;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.convert.model.base.VisionModel;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The image encoder of Llama 4: tiles, a CLS token behind the patches, squares of patches through
 * an adapter and a linear layer.
 */
public final class Llama4Vision extends VisionModel {
  private static final int BILINEAR = 2;
  private static final int MAX_TILES = 16;
  private static final double ROPE_BASE = 10_000;

  private static final NameTable NAMES =
      NameTable.of(
          "patch_embedding.linear v.patch_embd",
          "class_embedding v.class_embd",
          "positional_embedding_vlm v.position_embd.weight",
          "layernorm_pre v.pre_ln",
          "layernorm_post v.post_ln",
          "model.layers.#.input_layernorm v.blk.#.ln1",
          "model.layers.#.post_attention_layernorm v.blk.#.attn_post_norm", // llama.cpp's name
          "model.layers.#.self_attn.q_proj v.blk.#.attn_q",
          "model.layers.#.self_attn.k_proj v.blk.#.attn_k",
          "model.layers.#.self_attn.v_proj v.blk.#.attn_v",
          "model.layers.#.self_attn.o_proj v.blk.#.attn_out",
          "model.layers.#.mlp.fc1 v.blk.#.ffn_up",
          "model.layers.#.mlp.fc2 v.blk.#.ffn_down",
          "vision_adapter.mlp.fc1 mm.model.mlp.1",
          "vision_adapter.mlp.fc2 mm.model.mlp.2",
          "linear_1 mm.model.fc");

  public Llama4Vision(Context context) throws IOException {
    super(context, "llama4_vision_model");
  }

  @Override
  protected String projector() {
    return "llama4";
  }

  @Override
  protected int usualFilter() {
    return BILINEAR;
  }

  /** The reference computes GELU whatever the configuration says. */
  @Override
  protected Set<String> usualActivations() {
    return Set.of(config.findString("hidden_act").orElse("gelu"));
  }

  @Override
  protected Optional<String> own(String name) {
    return inProjector(name).or(() -> after(name, "vision_model.", "model.vision_model."));
  }

  @Override
  protected void more(GgufWriter out) {
    out.string("clip.projector_type", projector());
    out.f32("clip.vision.attention.layer_norm_epsilon", (float) config.real("norm_eps"));
    out.u32("clip.vision.projector.scale_factor", (int) (1 / ratio()));
    out.bool("clip.use_gelu", true);
    double base = RopeConfig.of(config).theta();
    if (base != ROPE_BASE) {
      out.f32("clip.rope.freq_base", (float) base);
    }
    requireProcessor();
    int tiles = processor.integerOr("max_patches", MAX_TILES);
    if (tiles != MAX_TILES) {
      out.u32("clip.vision.preproc_max_tiles", tiles);
    }
    if (processor.flag("resize_to_max_canvas", false)) {
      out.bool("clip.vision.resize_to_max_canvas", true);
    }
  }

  private double ratio() {
    double ratio = config.real("pixel_shuffle_ratio");
    if (!(ratio > 0 && ratio <= 1)) {
      throw config.invalid("pixel_shuffle_ratio", "a number from 0 to 1", "" + ratio);
    }
    return ratio;
  }

  /** The processor makes tiles and counts their tokens, which the encoder must agree with. */
  private void requireProcessor() {
    int side = imageSize();
    JsonNode size = processor.find("size");
    if (size != null
        && (size.path("height").asInt(side) != side || size.path("width").asInt(side) != side)) {
      throw processor.invalid("size", "%1$d x %1$d, as the tower's".formatted(side), "" + size);
    }
    int patch = processor.integerOr("patch_size", patchSize());
    if (patch != patchSize()) {
      throw processor.invalid("patch_size", patchSize() + ", as the tower's", "" + patch);
    }
    double ratio = processor.findReal("pixel_shuffle_ratio").orElse(ratio());
    if (ratio != ratio()) {
      throw processor.invalid("pixel_shuffle_ratio", ratio() + ", as the tower's", "" + ratio);
    }
  }

  @Override
  protected List<TargetTensor> map(String name, LazyTensor tensor) {
    return named(NAMES, name, tensor);
  }
}
