package dev.ocellus.convert.model.maker;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.hf.HfConfig;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.NameTable;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.convert.model.base.VisionModel;
import dev.ocellus.gguf.GgufWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The transformer of ImageGPT (Chen et al., 2020) under transformers' names, over colours or over
 * the codes of a VQ model. How scores are scaled is worked into the weights of the queries.
 */
final class PixelPrior {
  private static final NameTable NAMES =
      NameTable.of(
          "transformer.wte token_embd",
          "transformer.wpe position_embd",
          "transformer.ln_f output_norm",
          "lm_head output",
          "transformer.h.#.ln_1 blk.#.ln1",
          "transformer.h.#.ln_2 blk.#.ln2",
          "transformer.h.#.attn.c_proj blk.#.attn_out",
          "transformer.h.#.mlp.c_fc blk.#.ffn_up",
          "transformer.h.#.mlp.c_proj blk.#.ffn_down");

  private static final String QKV = ".attn.c_attn.";

  private final Context context;
  private final HfConfig config;
  private final String keys;

  /**
   * @param keys what the keys of the file begin with
   */
  PixelPrior(Context context, HfConfig config, String keys) {
    this.context = context;
    this.config = config;
    this.keys = keys;
  }

  void parameters(GgufWriter out) {
    out.u32(keys + "embedding_length", config.integer("n_embd"));
    out.u32(keys + "block_count", config.integer("n_layer"));
    out.u32(keys + "attention.head_count", config.integer("n_head"));
    out.f32(
        keys + "attention.layer_norm_epsilon",
        (float) config.findReal("layer_norm_epsilon").orElse(1e-5));
    String act = config.findString("activation_function").orElse("quick_gelu");
    if (!act.equals("relu")) {
      VisionModel.requireKnown(config, act);
    }
    out.string(keys + "hidden_act", act);
    JsonNode classes = config.find("classes");
    if (classes != null && classes.isArray()) {
      List<String> names = new ArrayList<>();
      classes.forEach(c -> names.add(c.asText()));
      out.strings(keys + "classes", names);
    }
  }

  /** What becomes of a tensor. */
  List<TargetTensor> target(String name, LazyTensor tensor) {
    String own =
        name.startsWith("transformer.") || name.startsWith("lm_head")
            ? name
            : "transformer." + name;
    if (own.endsWith(".attn.bias") || own.endsWith(".attn.masked_bias")) {
      return List.of(); // causal masks of old files
    }
    int qkv = own.indexOf(QKV);
    if (qkv >= 0) {
      return heads(own, qkv, tensor);
    }
    Optional<String> found = NAMES.find(own);
    if (found.isEmpty()) {
      throw unknown(name);
    }
    boolean turned = tensor.rank() == 2 && (own.contains(".c_proj.") || own.contains(".c_fc."));
    return List.of(new TargetTensor(found.get(), turned ? tensor.transposed() : tensor));
  }

  private ConversionException unknown(String name) {
    return context.unknownTensor(name, "ImageGPT");
  }

  /** Queries, keys and values stand in one matrix, which is stored with the inputs outermost. */
  private List<TargetTensor> heads(String own, int qkv, LazyTensor tensor) {
    String[] parts = own.substring(0, qkv).split("\\.");
    String number = parts[parts.length - 1];
    if (!number.matches("\\d{1,4}")) {
      throw unknown(own);
    }
    LazyTensor rows = tensor.rank() == 2 ? tensor.transposed() : tensor;
    if (rows.size(0) % 3 != 0) {
      throw new ConversionException(
          "Tensor %s: expected queries, keys and values. The checkpoint is damaged."
              .formatted(tensor));
    }
    String block = "blk." + number + ".attn_";
    String ending = own.substring(qkv + QKV.length() - 1);
    float scale = scale(Integer.parseInt(number), rows.size(0) / 3);
    LazyTensor queries = rows.part(0, 3);
    return List.of(
        new TargetTensor(block + "q" + ending, scale == 1 ? queries : queries.times(scale)),
        new TargetTensor(block + "k" + ending, rows.part(1, 3)),
        new TargetTensor(block + "v" + ending, rows.part(2, 3)));
  }

  private float scale(int layer, long width) {
    double scale = Math.sqrt((double) width / config.integer("n_head"));
    if (config.flag("scale_attn_weights", true)) {
      // transformers rounds the root down (its torch_float gives an int), and its numbers count;
      // not where it is told to scale the keys first
      boolean exact = config.flag("reorder_and_upcast_attn", false);
      scale = exact ? 1 : scale / Math.max(1, (int) scale);
    }
    if (config.flag("scale_attn_by_inverse_layer_idx", false)) {
      scale /= layer + 1;
    }
    return (float) scale;
  }
}
