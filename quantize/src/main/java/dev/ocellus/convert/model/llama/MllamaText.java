package dev.ocellus.convert.model.llama;

import dev.ocellus.convert.common.OutputType;
import dev.ocellus.convert.hf.HfConfig;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.GraphText;
import dev.ocellus.convert.model.base.NameTable;
import dev.ocellus.convert.model.base.RopeConfig;
import dev.ocellus.convert.tokenizer.TokenizerConverter;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * The language model of Llama 3.2 Vision (Mllama): Llama 3.1 with layers that attend to images.
 * llama.cpp has no such architecture; docs/gguf.md tells what is written.
 */
public final class MllamaText extends GraphText {
  /** Rows of the embedding behind those of the output: tokens that are only read. */
  private static final int MORE_TOKENS = 8;

  private static final NameTable NAMES =
      NameTable.of(
          "embed_tokens token_embd",
          "lm_head output",
          "norm output_norm",
          "layers.#.input_layernorm blk.#.attn_norm",
          "layers.#.post_attention_layernorm blk.#.ffn_norm",
          "layers.#.self_attn.q_proj blk.#.attn_q",
          "layers.#.self_attn.k_proj blk.#.attn_k",
          "layers.#.self_attn.v_proj blk.#.attn_v",
          "layers.#.self_attn.o_proj blk.#.attn_output",
          "layers.#.cross_attn.q_proj blk.#.cross.attn_q",
          "layers.#.cross_attn.k_proj blk.#.cross.attn_k",
          "layers.#.cross_attn.v_proj blk.#.cross.attn_v",
          "layers.#.cross_attn.o_proj blk.#.cross.attn_output",
          "layers.#.cross_attn.q_norm blk.#.cross.attn_q_norm",
          "layers.#.cross_attn.k_norm blk.#.cross.attn_k_norm",
          "layers.#.cross_attn_attn_gate blk.#.cross.attn_gate",
          "layers.#.cross_attn_mlp_gate blk.#.cross.ffn_gate",
          "layers.#.mlp.gate_proj blk.#.ffn_gate",
          "layers.#.mlp.up_proj blk.#.ffn_up",
          "layers.#.mlp.down_proj blk.#.ffn_down");

  private final int width;
  private final int nHead;
  private final int nHeadKv;
  private final int headWidth;
  private final int nFf;
  private final int nLayer;
  private final int[] crossLayers;

  public MllamaText(Context context) {
    super(context);
    width = config.integer("hidden_size");
    nHead = config.integer("num_attention_heads");
    nHeadKv = config.integer("num_key_value_heads");
    headWidth = width / nHead;
    nFf = config.integer("intermediate_size");
    nLayer = config.integer("num_hidden_layers");
    crossLayers = config.integers("cross_attention_layers");
    if (Arrays.stream(crossLayers).anyMatch(i -> i < 0 || i >= nLayer)) {
      throw config.invalid(
          "cross_attention_layers", "layers below " + nLayer, Arrays.toString(crossLayers));
    }
  }

  @Override
  public String architecture() {
    return "mllama";
  }

  @Override
  protected NameTable names() {
    return NAMES;
  }

  @Override
  protected String bare(String name) {
    return name.startsWith("model.") ? name.substring("model.".length()) : name;
  }

  private boolean isCross(int layer) {
    return Arrays.stream(crossLayers).anyMatch(i -> i == layer);
  }

  @Override
  protected Map<String, long[]> required() {
    Map<String, long[]> shapes = new HashMap<>();
    shapes.put("token_embd.weight", new long[] {nTokens(), width});
    shapes.put("output_norm.weight", new long[] {width});
    if (!config.flag("tie_word_embeddings", false)) {
      shapes.put("output.weight", new long[] {nVocab(), width});
    }
    for (int i = 0; i < nLayer; i++) {
      String block = "blk." + i + ".";
      String attention = block + (isCross(i) ? "cross." : "");
      shapes.put(block + "attn_norm.weight", new long[] {width});
      shapes.put(block + "ffn_norm.weight", new long[] {width});
      shapes.put(attention + "attn_q.weight", new long[] {(long) nHead * headWidth, width});
      shapes.put(attention + "attn_k.weight", new long[] {(long) nHeadKv * headWidth, width});
      shapes.put(attention + "attn_v.weight", new long[] {(long) nHeadKv * headWidth, width});
      shapes.put(attention + "attn_output.weight", new long[] {width, (long) nHead * headWidth});
      if (isCross(i)) {
        shapes.put(attention + "attn_q_norm.weight", new long[] {headWidth});
        shapes.put(attention + "attn_k_norm.weight", new long[] {headWidth});
        shapes.put(attention + "attn_gate", new long[] {1});
        shapes.put(attention + "ffn_gate", new long[] {1});
      }
      shapes.put(block + "ffn_gate.weight", new long[] {nFf, width});
      shapes.put(block + "ffn_up.weight", new long[] {nFf, width});
      shapes.put(block + "ffn_down.weight", new long[] {width, nFf});
    }
    return shapes;
  }

  private int nTokens() {
    return nVocab() + MORE_TOKENS;
  }

  @Override
  protected Map<String, long[]> optional() {
    return Map.of("output.weight", new long[] {nVocab(), width});
  }

  @Override
  public void parameters(GgufWriter out, OutputType type) {
    String act = config.findString("hidden_act").orElse("silu");
    if (!act.equals("silu")) {
      throw config.invalid("hidden_act", "silu", "'" + act + "'");
    }
    HfConfig vision = context.folder().config().section("vision_config", "mllama_vision_model");
    int grid = vision.integers("image_size")[0] / vision.integers("patch_size")[0];
    out.u32("mllama.vocab_size", nVocab());
    out.u32("mllama.context_length", config.integer("max_position_embeddings"));
    out.u32("mllama.embedding_length", width);
    out.u32("mllama.feed_forward_length", nFf);
    out.u32("mllama.block_count", nLayer);
    out.ints("mllama.cross_attention_layers", crossLayers);
    out.u32("mllama.attention.head_count", nHead);
    out.u32("mllama.attention.head_count_kv", nHeadKv);
    out.f32("mllama.attention.layer_norm_rms_epsilon", (float) config.real("rms_norm_eps"));
    RopeConfig rope = RopeConfig.of(config);
    out.f32("mllama.rope.freq_base", (float) rope.theta());
    rope.factors(headWidth)
        .ifPresent(factors -> out.floats("mllama.rope.factors", factors.data().values()));
    out.u32("mllama.image_token_id", context.folder().config().integer("image_token_index"));
    out.u32("mllama.image_tiles", vision.integer("max_num_tiles"));
    out.u32("mllama.image_states", grid * grid + 1);
    out.u32("general.file_type", type.fileType());
  }

  @Override
  public void tokenizer(GgufWriter out) throws IOException {
    new TokenizerConverter(context.folder(), nTokens(), context.preTokenizer()).write(out);
  }
}
