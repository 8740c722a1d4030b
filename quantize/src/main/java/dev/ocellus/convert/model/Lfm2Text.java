package dev.ocellus.convert.model;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.NameTable;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.convert.model.base.TextModel;
import dev.ocellus.gguf.GgufWriter;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The language model of LFM2 (arXiv:2511.23404): most blocks mix neighbours by short convolutions,
 * some attend.
 *
 * <p>Source: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/lfm2/modeling_lfm2.py">modeling_lfm2.py</a>;
 * what libllama expects is in {@code src/models/lfm2.cpp} of llama.cpp v0.4.0.
 */
final class Lfm2Text extends TextModel {
  private static final NameTable LFM2_NAMES =
      NAMES.with(
          "model.embedding_norm token_embd_norm",
          "model.layers.#.operator_norm blk.#.attn_norm",
          "model.layers.#.ffn_norm blk.#.ffn_norm",
          "model.layers.#.self_attn.out_proj blk.#.attn_output",
          "model.layers.#.self_attn.q_layernorm blk.#.attn_q_norm",
          "model.layers.#.self_attn.k_layernorm blk.#.attn_k_norm",
          "model.layers.#.conv.conv blk.#.shortconv.conv",
          "model.layers.#.conv.in_proj blk.#.shortconv.in_proj",
          "model.layers.#.conv.out_proj blk.#.shortconv.out_proj",
          "model.layers.#.feed_forward.w1 blk.#.ffn_gate",
          "model.layers.#.feed_forward.w2 blk.#.ffn_down",
          "model.layers.#.feed_forward.w3 blk.#.ffn_up");

  private static final Set<String> CONVOLVING_ONLY =
      Set.of("shortconv.conv.weight", "shortconv.in_proj.weight", "shortconv.out_proj.weight");

  private static final Set<String> ATTENDING_ONLY =
      Set.of(
          "attn_q.weight",
          "attn_k.weight",
          "attn_v.weight",
          "attn_output.weight",
          "attn_q_norm.weight",
          "attn_k_norm.weight");

  private static final String CONVOLUTION = "conv";
  private static final String ATTENTION = "full_attention";

  private final boolean[] attends;

  Lfm2Text(Context context) {
    super(context);
    attends = attends();
    if (config.flag("conv_bias", false)) {
      throw config.invalid("conv_bias", "false, as llama.cpp adds none", "true");
    }
    if (headDim() * nHead != nEmbd) {
      throw config.invalid(
          "head_dim", "%d / %d, as llama.cpp has it".formatted(nEmbd, nHead), "" + headDim());
    }
  }

  /** {@code layer_types}, else the blocks that {@code full_attn_idxs} names, else all. */
  private boolean[] attends() {
    boolean[] out = new boolean[nBlock];
    JsonNode types = config.find("layer_types");
    JsonNode indices = config.find("full_attn_idxs");
    for (int i = 0; i < nBlock; i++) {
      String type = types == null ? "" : types.path(i).asText();
      out[i] = types == null ? indices == null || holds(indices, i) : type.equals(ATTENTION);
      if (types != null && !out[i] && !type.equals(CONVOLUTION)) {
        throw config.invalid(
            "layer_types", "conv or full_attention for each of " + nBlock, "" + types);
      }
    }
    return out;
  }

  private static boolean holds(JsonNode list, int number) {
    for (JsonNode n : list) {
      if (n.asInt(-1) == number) {
        return true;
      }
    }
    return false;
  }

  @Override
  public String architecture() {
    return "lfm2";
  }

  @Override
  protected NameTable names() {
    return LFM2_NAMES;
  }

  @Override
  protected String lastNorm() {
    return "token_embd_norm.weight";
  }

  @Override
  protected String epsilonKey() {
    return "norm_eps";
  }

  /** {@code Lfm2MLP}: the width is rounded where the configuration says so. */
  @Override
  protected int nFf() {
    int width = config.integer("block_ff_dim", "intermediate_size");
    if (!config.flag("block_auto_adjust_ff_dim", true)) {
      return width;
    }
    width = (int) (2L * width / 3.0);
    if (config.find("block_ffn_dim_multiplier") != null) {
      width = (int) (config.real("block_ffn_dim_multiplier") * width);
      int multiple = config.integerOr("block_multiple_of", 256);
      width = Math.ceilDiv(width, multiple) * multiple;
    }
    return width;
  }

  @Override
  protected void feedForward(GgufWriter out) {
    out.u32("lfm2.feed_forward_length", nFf());
  }

  @Override
  public void parameters(GgufWriter out, OutputType type) {
    super.parameters(out, type);
    int[] headsKv = new int[nBlock];
    for (int i = 0; i < nBlock; i++) {
      headsKv[i] = attends[i] ? nHeadKv : 0;
    }
    out.remove("lfm2.attention.head_count_kv").ints("lfm2.attention.head_count_kv", headsKv);
    out.u32("lfm2.vocab_size", nVocab());
    out.u32("lfm2.shortconv.l_cache", config.integer("conv_L_cache"));
  }

  @Override
  protected Map<String, long[]> ownShapes() {
    long kernel = config.integer("conv_L_cache");
    return Map.of(
        "shortconv.conv.weight", new long[] {nEmbd, kernel},
        "shortconv.in_proj.weight", new long[] {3L * nEmbd, nEmbd},
        "shortconv.out_proj.weight", new long[] {nEmbd, nEmbd});
  }

  @Override
  protected boolean lacks(int block, String tensor) {
    return (attends[block] ? CONVOLVING_ONLY : ATTENDING_ONLY).contains(tensor);
  }

  /** The kernel of a convolution has a dimension of size 1 that libllama's has not. */
  @Override
  protected List<TargetTensor> map(String name, LazyTensor tensor) {
    boolean kernel = name.endsWith(".conv.conv.weight") && tensor.rank() == 3;
    return super.map(name, kernel ? tensor.reshape(tensor.size(0), tensor.size(2)) : tensor);
  }
}
