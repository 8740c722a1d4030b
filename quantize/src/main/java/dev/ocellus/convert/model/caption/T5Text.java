package dev.ocellus.convert.model.caption;

import dev.ocellus.convert.common.OutputType;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.GenerationKeys;
import dev.ocellus.convert.model.base.GraphText;
import dev.ocellus.convert.model.base.NameTable;
import dev.ocellus.convert.model.base.VisionModel;
import dev.ocellus.convert.tokenizer.TokenizerConverter;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * T5 (arXiv:1910.10683) and Flan-T5 (arXiv:2210.11416): an encoder and a decoder, with the names
 * and keys of llama.cpp's converter, and a key of ours for what it does not say.
 */
public final class T5Text extends GraphText {
  private static final NameTable NAMES =
      NameTable.of(
          "shared token_embd",
          "lm_head output",
          "encoder.final_layer_norm enc.output_norm",
          "decoder.final_layer_norm dec.output_norm",
          "encoder.block.#.layer.0.SelfAttention.q enc.blk.#.attn_q",
          "encoder.block.#.layer.0.SelfAttention.k enc.blk.#.attn_k",
          "encoder.block.#.layer.0.SelfAttention.v enc.blk.#.attn_v",
          "encoder.block.#.layer.0.SelfAttention.o enc.blk.#.attn_o",
          "encoder.block.#.layer.0.SelfAttention.relative_attention_bias enc.blk.#.attn_rel_b",
          "encoder.block.#.layer.0.layer_norm enc.blk.#.attn_norm",
          "encoder.block.#.layer.1.DenseReluDense.wi enc.blk.#.ffn_up",
          "encoder.block.#.layer.1.DenseReluDense.wi_0 enc.blk.#.ffn_gate",
          "encoder.block.#.layer.1.DenseReluDense.wi_1 enc.blk.#.ffn_up",
          "encoder.block.#.layer.1.DenseReluDense.wo enc.blk.#.ffn_down",
          "encoder.block.#.layer.1.layer_norm enc.blk.#.ffn_norm",
          "decoder.block.#.layer.0.SelfAttention.q dec.blk.#.attn_q",
          "decoder.block.#.layer.0.SelfAttention.k dec.blk.#.attn_k",
          "decoder.block.#.layer.0.SelfAttention.v dec.blk.#.attn_v",
          "decoder.block.#.layer.0.SelfAttention.o dec.blk.#.attn_o",
          "decoder.block.#.layer.0.SelfAttention.relative_attention_bias dec.blk.#.attn_rel_b",
          "decoder.block.#.layer.0.layer_norm dec.blk.#.attn_norm",
          "decoder.block.#.layer.1.EncDecAttention.q dec.blk.#.cross_attn_q",
          "decoder.block.#.layer.1.EncDecAttention.k dec.blk.#.cross_attn_k",
          "decoder.block.#.layer.1.EncDecAttention.v dec.blk.#.cross_attn_v",
          "decoder.block.#.layer.1.EncDecAttention.o dec.blk.#.cross_attn_o",
          "decoder.block.#.layer.1.layer_norm dec.blk.#.cross_attn_norm",
          "decoder.block.#.layer.2.DenseReluDense.wi dec.blk.#.ffn_up",
          "decoder.block.#.layer.2.DenseReluDense.wi_0 dec.blk.#.ffn_gate",
          "decoder.block.#.layer.2.DenseReluDense.wi_1 dec.blk.#.ffn_up",
          "decoder.block.#.layer.2.DenseReluDense.wo dec.blk.#.ffn_down",
          "decoder.block.#.layer.2.layer_norm dec.blk.#.ffn_norm");

  /** Of the feed-forward block: whether it has a gate, and the activation. */
  private record FeedForward(boolean gated, String activation) {}

  private final int width;
  private final int nHead;
  private final int headWidth;
  private final int nFf;
  private final int nEncoder;
  private final int nDecoder;
  private final int nBuckets;
  private final FeedForward feedForward;

  public T5Text(Context context) {
    super(context);
    width = config.integer("d_model", "hidden_size");
    nHead = config.integer("num_heads", "num_attention_heads");
    headWidth = config.integer("d_kv");
    nFf = config.integer("d_ff");
    nEncoder = config.integer("num_layers", "num_hidden_layers");
    nDecoder = config.findInteger("num_decoder_layers").orElse(nEncoder);
    nBuckets = config.integer("relative_attention_num_buckets");
    feedForward = feedForward();
  }

  private FeedForward feedForward() {
    String projection = config.findString("feed_forward_proj").orElse("relu");
    boolean gated = projection.startsWith("gated-");
    String activation = gated ? projection.substring("gated-".length()) : projection;
    if (projection.equals("gated-gelu")) {
      activation = "gelu_new"; // as the configuration class has it, for checkpoints of old
    }
    if (!activation.equals("relu")) {
      VisionModel.requireKnown(config, activation);
    }
    return new FeedForward(gated, activation);
  }

  @Override
  public String architecture() {
    return "t5";
  }

  @Override
  protected NameTable names() {
    return NAMES;
  }

  /** The embedding stands up to three times in a checkpoint; an unused bias in old ones. */
  @Override
  protected boolean isRedundant(String name) {
    return name.endsWith("coder.embed_tokens.weight")
        || name.endsWith(".1.EncDecAttention.relative_attention_bias.weight");
  }

  @Override
  protected Map<String, long[]> required() {
    Map<String, long[]> shapes = new HashMap<>();
    shapes.put("token_embd.weight", new long[] {nVocab(), width});
    stack(shapes, "enc.", nEncoder, List.of("attn_"));
    stack(shapes, "dec.", nDecoder, List.of("attn_", "cross_attn_"));
    return shapes;
  }

  private void stack(Map<String, long[]> shapes, String stack, int n, List<String> attentions) {
    long inner = (long) nHead * headWidth;
    shapes.put(stack + "output_norm.weight", new long[] {width});
    shapes.put(stack + "blk.0.attn_rel_b.weight", new long[] {nBuckets, nHead});
    for (int i = 0; i < n; i++) {
      String block = stack + "blk." + i + ".";
      for (String attention : attentions) {
        shapes.put(block + attention + "norm.weight", new long[] {width});
        for (String part : List.of("q", "k", "v")) {
          shapes.put(block + attention + part + ".weight", new long[] {inner, width});
        }
        shapes.put(block + attention + "o.weight", new long[] {width, inner});
      }
      shapes.put(block + "ffn_norm.weight", new long[] {width});
      shapes.put(block + "ffn_up.weight", new long[] {nFf, width});
      if (feedForward.gated) {
        shapes.put(block + "ffn_gate.weight", new long[] {nFf, width});
      }
      shapes.put(block + "ffn_down.weight", new long[] {width, nFf});
    }
  }

  @Override
  protected Map<String, long[]> optional() {
    return Map.of("output.weight", new long[] {nVocab(), width});
  }

  @Override
  public void parameters(GgufWriter out, OutputType type) {
    float eps = (float) config.real("layer_norm_epsilon");
    out.u32("t5.context_length", config.integerOr("n_positions", 512));
    out.u32("t5.embedding_length", width);
    out.u32("t5.feed_forward_length", nFf);
    out.u32("t5.block_count", nEncoder);
    out.u32("t5.decoder_block_count", nDecoder);
    out.u32("t5.attention.head_count", nHead);
    out.u32("t5.attention.key_length", headWidth);
    out.u32("t5.attention.value_length", headWidth);
    out.f32("t5.attention.layer_norm_epsilon", eps);
    out.u32("t5.attention.relative_buckets_count", nBuckets);
    out.f32("t5.attention.layer_norm_rms_epsilon", eps);
    out.u32(
        "t5.decoder_start_token_id",
        config.findInteger("decoder_start_token_id", "pad_token_id").orElse(0));
    out.u32(
        "t5.attention.relative_max_distance", config.integer("relative_attention_max_distance"));
    out.string("t5.hidden_act", feedForward.activation);
    // T5 1.1 says that it does not tie its head, and that is what the reference goes by
    out.bool("t5.scale_decoder_outputs", config.flag("tie_word_embeddings", true));
    out.u32("general.file_type", type.fileType());
    GenerationKeys.write(out, context, config);
  }

  @Override
  public void tokenizer(GgufWriter out) throws IOException {
    new TokenizerConverter(context.folder(), nVocab(), context.preTokenizer()).writeT5(out);
  }
}
