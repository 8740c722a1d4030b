package dev.ocellus.convert.model.caption;

import dev.ocellus.convert.common.OutputType;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.GenerationKeys;
import dev.ocellus.convert.model.base.GraphText;
import dev.ocellus.convert.model.base.NameTable;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.convert.model.base.VisionModel;
import dev.ocellus.convert.tokenizer.TokenizerConverter;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * BART (arXiv:1910.13461), the language model of Florence-2. llama.cpp has no such architecture;
 * docs/gguf.md tells what is written. The first two rows of the tables of positions, which the
 * reference has for padding, are left out; a table of embeddings that is scaled is written so.
 */
public final class BartText extends GraphText {
  private static final int PADDING_ROWS = 2;

  /** What the model's page asks for, as lists of objects are long. */
  private static final int MAX_NEW_TOKENS = 1024;

  private static final String EMBEDDING = "token_embd.weight";
  private static final String OUTPUT = "output.weight";

  private static final NameTable NAMES =
      NameTable.of(
          "shared token_embd",
          "lm_head output",
          "encoder.embed_positions enc.position_embd",
          "decoder.embed_positions dec.position_embd",
          "encoder.layernorm_embedding enc.embd_norm",
          "decoder.layernorm_embedding dec.embd_norm",
          "encoder.layers.#.self_attn.q_proj enc.blk.#.attn_q",
          "encoder.layers.#.self_attn.k_proj enc.blk.#.attn_k",
          "encoder.layers.#.self_attn.v_proj enc.blk.#.attn_v",
          "encoder.layers.#.self_attn.out_proj enc.blk.#.attn_out",
          "encoder.layers.#.self_attn_layer_norm enc.blk.#.attn_norm",
          "encoder.layers.#.fc1 enc.blk.#.ffn_up",
          "encoder.layers.#.fc2 enc.blk.#.ffn_down",
          "encoder.layers.#.final_layer_norm enc.blk.#.ffn_norm",
          "decoder.layers.#.self_attn.q_proj dec.blk.#.attn_q",
          "decoder.layers.#.self_attn.k_proj dec.blk.#.attn_k",
          "decoder.layers.#.self_attn.v_proj dec.blk.#.attn_v",
          "decoder.layers.#.self_attn.out_proj dec.blk.#.attn_out",
          "decoder.layers.#.self_attn_layer_norm dec.blk.#.attn_norm",
          "decoder.layers.#.encoder_attn.q_proj dec.blk.#.cross.attn_q",
          "decoder.layers.#.encoder_attn.k_proj dec.blk.#.cross.attn_k",
          "decoder.layers.#.encoder_attn.v_proj dec.blk.#.cross.attn_v",
          "decoder.layers.#.encoder_attn.out_proj dec.blk.#.cross.attn_out",
          "decoder.layers.#.encoder_attn_layer_norm dec.blk.#.cross.attn_norm",
          "decoder.layers.#.fc1 dec.blk.#.ffn_up",
          "decoder.layers.#.fc2 dec.blk.#.ffn_down",
          "decoder.layers.#.final_layer_norm dec.blk.#.ffn_norm");

  private final int width;
  private final int nCtx;
  private final int nEncoder;
  private final int nDecoder;
  private final int nEncoderFf;
  private final int nDecoderFf;
  private final boolean scales;

  public BartText(Context context) {
    super(context);
    width = config.integer("d_model", "hidden_size");
    nCtx = config.integer("max_position_embeddings");
    nEncoder = config.integer("encoder_layers", "num_hidden_layers");
    nDecoder = config.integer("decoder_layers");
    nEncoderFf = config.integer("encoder_ffn_dim");
    nDecoderFf = config.integer("decoder_ffn_dim");
    scales = config.flag("scale_embedding", false);
  }

  @Override
  public String architecture() {
    return "bart";
  }

  @Override
  protected NameTable names() {
    return NAMES;
  }

  @Override
  protected String bare(String name) {
    return name.startsWith("model.") ? name.substring("model.".length()) : name;
  }

  /**
   * The embedding stands up to three times in a checkpoint. A bias of the logits, which the first
   * checkpoints have, is no part of the reference's model.
   */
  @Override
  protected boolean isRedundant(String name) {
    return name.endsWith("coder.embed_tokens.weight") || name.endsWith("final_logits_bias");
  }

  @Override
  protected TargetTensor target(String name, LazyTensor tensor) {
    boolean positions = name.endsWith(".position_embd.weight") && tensor.rank() == 2;
    return positions && tensor.size(0) > PADDING_ROWS
        ? new TargetTensor(name, tensor.slice(PADDING_ROWS, tensor.size(0)))
        : new TargetTensor(name, tensor);
  }

  /** Where embeddings are scaled and logits are not, two tables take the place of the one. */
  @Override
  public List<TargetTensor> tensors() {
    List<TargetTensor> stored = super.tensors();
    if (!scales) {
      return stored;
    }
    boolean tied = stored.stream().noneMatch(t -> t.name().equals(OUTPUT));
    List<TargetTensor> out = new ArrayList<>();
    for (TargetTensor t : stored) {
      if (!t.name().equals(EMBEDDING)) {
        out.add(t);
        continue;
      }
      out.add(new TargetTensor(EMBEDDING, t.data().times((float) Math.sqrt(width))));
      if (tied) {
        out.add(new TargetTensor(OUTPUT, t.data()));
      }
    }
    return out;
  }

  @Override
  protected Map<String, long[]> required() {
    Map<String, long[]> shapes = new HashMap<>();
    shapes.put(EMBEDDING, new long[] {nVocab(), width});
    stack(shapes, "enc.", nEncoder, nEncoderFf, List.of("attn_"));
    stack(shapes, "dec.", nDecoder, nDecoderFf, List.of("attn_", "cross.attn_"));
    return shapes;
  }

  private void stack(
      Map<String, long[]> shapes, String stack, int n, int nFf, List<String> attentions) {
    shapes.put(stack + "position_embd.weight", new long[] {nCtx, width});
    norm(shapes, stack + "embd_norm", width);
    for (int i = 0; i < n; i++) {
      String block = stack + "blk." + i + ".";
      for (String attention : attentions) {
        for (String part : List.of("q", "k", "v", "out")) {
          linear(shapes, block + attention + part, width, width);
        }
        norm(shapes, block + attention + "norm", width);
      }
      linear(shapes, block + "ffn_up", nFf, width);
      linear(shapes, block + "ffn_down", width, nFf);
      norm(shapes, block + "ffn_norm", width);
    }
  }

  @Override
  protected Map<String, long[]> optional() {
    return Map.of(OUTPUT, new long[] {nVocab(), width});
  }

  @Override
  public void parameters(GgufWriter out, OutputType type) {
    out.u32("bart.vocab_size", nVocab());
    out.u32("bart.context_length", nCtx);
    out.u32("bart.embedding_length", width);
    out.u32("bart.block_count", nEncoder);
    out.u32("bart.decoder_block_count", nDecoder);
    out.u32("bart.feed_forward_length", nEncoderFf);
    out.u32("bart.decoder_feed_forward_length", nDecoderFf);
    out.u32("bart.attention.head_count", config.integer("encoder_attention_heads"));
    out.u32("bart.attention.decoder_head_count", config.integer("decoder_attention_heads"));
    out.f32("bart.attention.layer_norm_epsilon", 1e-5f); // what the class has, and no configuration
    out.u32("bart.decoder_start_token_id", config.integerOr("decoder_start_token_id", 2));
    String act = config.findString("activation_function").orElse("gelu");
    if (!act.equals("relu")) {
      VisionModel.requireKnown(config, act);
    }
    out.string("bart.hidden_act", act);
    out.u32("general.file_type", type.fileType());
    GenerationKeys.write(out, context, config, MAX_NEW_TOKENS);
  }

  @Override
  public void tokenizer(GgufWriter out) throws IOException {
    new TokenizerConverter(context.folder(), nVocab(), context.preTokenizer()).writeFlorence(out);
  }
}
