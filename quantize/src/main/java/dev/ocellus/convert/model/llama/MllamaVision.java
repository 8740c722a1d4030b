package dev.ocellus.convert.model.llama;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.NameTable;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.convert.model.base.VisionModel;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.gguf.TensorType;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The image encoder of Llama 3.2 Vision (Mllama): up to four tiles in one transformer, then a gated
 * one over them. llama.cpp has no converter for it; docs/gguf.md tells what is written.
 */
public final class MllamaVision extends VisionModel {
  private static final int BILINEAR = 2;

  private static final NameTable NAMES =
      NameTable.of(
          "patch_embedding v.patch_embd",
          "class_embedding v.class_embd",
          "gated_positional_embedding.embedding v.position_embd.weight",
          "gated_positional_embedding.gate v.position_gate",
          "gated_positional_embedding.tile_embedding v.tile_position_embd",
          "pre_tile_positional_embedding.embedding v.pre_tile_embd",
          "pre_tile_positional_embedding.gate v.pre_tile_gate",
          "post_tile_positional_embedding.embedding v.post_tile_embd",
          "post_tile_positional_embedding.gate v.post_tile_gate",
          "layernorm_pre v.pre_ln",
          "layernorm_post v.post_ln",
          "transformer.layers.#.input_layernorm v.blk.#.ln1",
          "transformer.layers.#.post_attention_layernorm v.blk.#.ln2",
          "transformer.layers.#.self_attn.q_proj v.blk.#.attn_q",
          "transformer.layers.#.self_attn.k_proj v.blk.#.attn_k",
          "transformer.layers.#.self_attn.v_proj v.blk.#.attn_v",
          "transformer.layers.#.self_attn.o_proj v.blk.#.attn_out",
          "transformer.layers.#.mlp.fc1 v.blk.#.ffn_up",
          "transformer.layers.#.mlp.fc2 v.blk.#.ffn_down",
          "global_transformer.layers.#.input_layernorm v.global.#.ln1",
          "global_transformer.layers.#.post_attention_layernorm v.global.#.ln2",
          "global_transformer.layers.#.self_attn.q_proj v.global.#.attn_q",
          "global_transformer.layers.#.self_attn.k_proj v.global.#.attn_k",
          "global_transformer.layers.#.self_attn.v_proj v.global.#.attn_v",
          "global_transformer.layers.#.self_attn.o_proj v.global.#.attn_out",
          "global_transformer.layers.#.mlp.fc1 v.global.#.ffn_up",
          "global_transformer.layers.#.mlp.fc2 v.global.#.ffn_down",
          "global_transformer.layers.#.gate_attn v.global.#.attn_gate",
          "global_transformer.layers.#.gate_ffn v.global.#.ffn_gate",
          "linear mm.model.fc");

  public MllamaVision(Context context) throws IOException {
    super(context, "mllama_vision_model");
  }

  @Override
  protected String projector() {
    return "mllama";
  }

  @Override
  protected int nHead() {
    return config.integer("attention_heads", "num_attention_heads");
  }

  @Override
  protected int usualFilter() {
    return BILINEAR;
  }

  @Override
  protected void more(GgufWriter out) {
    out.string("clip.projector_type", projector());
    out.f32(
        "clip.vision.attention.layer_norm_epsilon",
        (float) config.findReal("norm_eps").orElse(1e-5));
    int tiles = config.integer("max_num_tiles");
    int given = processor.integerOr("max_image_tiles", tiles);
    if (given != tiles) {
      throw processor.invalid("max_image_tiles", tiles + ", as the tower's", "" + given);
    }
    requireSquare(processor.find("size"));
    out.u32("clip.vision.preproc_max_tiles", tiles);
    out.u32("clip.vision.global_block_count", config.integer("num_global_layers"));
    out.ints("clip.vision.feature_layer", config.integers("intermediate_layers_indices"));
    out.ints("clip.vision.image_grid_pinpoints", ratios());
  }

  private void requireSquare(@Nullable JsonNode size) {
    int side = imageSize();
    if (size != null
        && (size.path("height").asInt(side) != side || size.path("width").asInt(side) != side)) {
      throw processor.invalid("size", "%1$d x %1$d, as the tower's".formatted(side), "" + size);
    }
  }

  /** Tiles down and across of each arrangement that has an embedding, in their order. */
  private int[] ratios() {
    JsonNode all = config.find("supported_aspect_ratios");
    if (all == null || !all.isArray()) {
      throw config.missing("supported_aspect_ratios", "a list of pairs");
    }
    List<Integer> out = new ArrayList<>();
    all.forEach(pair -> pair.forEach(n -> out.add(n.asInt())));
    return out.stream().mapToInt(Integer::intValue).toArray();
  }

  @Override
  protected Set<String> usualActivations() {
    return Set.of("gelu");
  }

  @Override
  protected Optional<String> own(String name) {
    Optional<String> projector = inProjector(name).map(rest -> "linear." + rest);
    return projector.or(() -> after(name, "model.vision_model.", "vision_model."));
  }

  @Override
  protected List<TargetTensor> map(String name, LazyTensor tensor) {
    return named(NAMES, name, tensor);
  }

  /** Tables whose rows are as long as all tiles stay as they are. */
  @Override
  public TensorType typeOf(TargetTensor tensor, OutputType type) {
    return tensor.name().endsWith("_embd.weight") && !tensor.name().contains("patch")
        ? TensorType.F32
        : super.typeOf(tensor, type);
  }
}
