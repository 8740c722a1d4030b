package dev.ocellus.convert.model.qwen;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.NameTable;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.convert.model.base.TextModel;
import dev.ocellus.convert.tokenizer.TokenizerConverter;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.util.List;

/**
 * Qwen's first generation (arXiv:2309.16609), which Qwen-VL is built on: one matrix for queries,
 * keys and values with a bias, {@code w2} as the gate, and {@code intermediate_size} for both
 * halves of a feed-forward block together.
 *
 * <p>Source: <a
 * href="https://huggingface.co/Qwen/Qwen-VL-Chat/blob/main/modeling_qwen.py">modeling_qwen.py</a>.
 */
public final class QwenText extends TextModel {
  private static final NameTable QWEN_NAMES =
      NameTable.of(
          "transformer.wte token_embd",
          "transformer.ln_f output_norm",
          "lm_head output",
          "transformer.h.#.ln_1 blk.#.attn_norm",
          "transformer.h.#.ln_2 blk.#.ffn_norm",
          "transformer.h.#.attn.c_attn blk.#.attn_qkv",
          "transformer.h.#.attn.c_proj blk.#.attn_output",
          "transformer.h.#.mlp.w1 blk.#.ffn_up",
          "transformer.h.#.mlp.w2 blk.#.ffn_gate",
          "transformer.h.#.mlp.c_proj blk.#.ffn_down");

  /** Buffers that follow from the configuration. */
  private static final List<String> BUFFERS =
      List.of(".inv_freq", ".attn.bias", ".attn.masked_bias", ".logn_tensor");

  public QwenText(Context context) {
    super(context);
  }

  @Override
  public String architecture() {
    return "qwen";
  }

  @Override
  protected NameTable names() {
    return QWEN_NAMES;
  }

  @Override
  protected int headDim() {
    return nEmbd / nHead;
  }

  @Override
  protected int nFf() {
    return config.integer("intermediate_size") / 2;
  }

  @Override
  public void parameters(GgufWriter out, OutputType type) {
    requireUsual();
    String a = architecture();
    out.u32(a + ".block_count", nBlock);
    out.u32(a + ".context_length", config.integer("max_position_embeddings"));
    out.u32(a + ".embedding_length", nEmbd);
    out.u32(a + ".feed_forward_length", config.integer("intermediate_size"));
    out.u32(a + ".attention.head_count", nHead);
    out.u32(a + ".attention.head_count_kv", nHead);
    out.u32(a + ".rope.dimension_count", headDim());
    out.f32(a + ".rope.freq_base", (float) config.real("rotary_emb_base"));
    out.f32(a + ".attention.layer_norm_rms_epsilon", (float) config.real("layer_norm_epsilon"));
    out.u32("general.file_type", type.fileType());
    if (config.flag("use_dynamic_ntk", false) || config.flag("use_logn_attn", false)) {
      context.warn(
          "use_dynamic_ntk and use_logn_attn are left out, as llama.cpp has neither; nothing changes below %d tokens"
              .formatted(config.integer("seq_length")));
    }
  }

  /** What llama.cpp's graph takes for granted. */
  private void requireUsual() {
    int channels = config.integer("kv_channels");
    if (channels * (long) nHead != nEmbd) {
      throw config.invalid("kv_channels", "heads that fill hidden_size", "" + channels);
    }
    double rotated = config.real("rotary_pct");
    if (rotated != 1) {
      throw config.invalid("rotary_pct", "1, as llama.cpp turns whole heads", "" + rotated);
    }
  }

  @Override
  protected List<TargetTensor> map(String name, LazyTensor tensor) {
    return BUFFERS.stream().anyMatch(name::endsWith) ? List.of() : super.map(name, tensor);
  }

  @Override
  public void tokenizer(GgufWriter out) throws IOException {
    JsonNode format = context.folder().json("generation_config.json").path("chat_format");
    int imageStart =
        config
            .findSection("visual", "")
            .map(visual -> visual.integer("image_start_id"))
            .orElse(TokenizerConverter.NO_IMAGES);
    new TokenizerConverter(context.folder(), nVocab(), context.preTokenizer())
        .writeQwen(out, imageStart, format.asText("chatml").equals("raw"));
  }
}
