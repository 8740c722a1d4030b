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
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * OPT (arXiv:2205.01068). llama.cpp has no such architecture; docs/gguf.md tells what is written.
 * The first two rows of the table of positions, which the reference has for padding, are left out.
 */
public final class OptText extends GraphText {
  private static final int PADDING_ROWS = 2;

  private static final NameTable NAMES =
      NameTable.of(
          "lm_head output",
          "embed_tokens token_embd",
          "embed_positions position_embd",
          "project_in project_in",
          "project_out project_out",
          "final_layer_norm output_norm",
          "layers.#.self_attn_layer_norm blk.#.attn_norm",
          "layers.#.self_attn.q_proj blk.#.attn_q",
          "layers.#.self_attn.k_proj blk.#.attn_k",
          "layers.#.self_attn.v_proj blk.#.attn_v",
          "layers.#.self_attn.out_proj blk.#.attn_output",
          "layers.#.final_layer_norm blk.#.ffn_norm",
          "layers.#.fc1 blk.#.ffn_up",
          "layers.#.fc2 blk.#.ffn_down");

  private final int width;
  private final int inputWidth;
  private final int nFf;
  private final int nLayer;
  private final int nCtx;
  private final boolean normFirst;

  public OptText(Context context) {
    super(context);
    width = config.integer("hidden_size");
    inputWidth = config.findInteger("word_embed_proj_dim").orElse(width);
    nFf = config.integer("ffn_dim");
    nLayer = config.integer("num_hidden_layers");
    nCtx = config.integer("max_position_embeddings");
    normFirst = config.flag("do_layer_norm_before", true);
    if (!config.flag("enable_bias", true)) {
      throw config.invalid("enable_bias", "true, as published OPT has", "false");
    }
    if (!config.flag("layer_norm_elementwise_affine", true)) {
      throw config.invalid("layer_norm_elementwise_affine", "true, as published OPT has", "false");
    }
  }

  @Override
  public String architecture() {
    return "opt";
  }

  @Override
  protected NameTable names() {
    return NAMES;
  }

  /** Checkpoints of the class have two prefixes more than those of the bare model. */
  @Override
  protected String bare(String name) {
    return name.replaceFirst("^(model\\.)?decoder\\.", "");
  }

  @Override
  protected TargetTensor target(String name, LazyTensor tensor) {
    return name.equals("position_embd.weight") && tensor.rank() == 2
        ? new TargetTensor(name, tensor.slice(PADDING_ROWS, tensor.size(0)))
        : new TargetTensor(name, tensor);
  }

  @Override
  protected Map<String, long[]> required() {
    Map<String, long[]> shapes = new HashMap<>();
    shapes.put("token_embd.weight", new long[] {nVocab(), inputWidth});
    shapes.put("position_embd.weight", new long[] {nCtx, width});
    if (inputWidth != width) {
      shapes.put("project_in.weight", new long[] {width, inputWidth});
      shapes.put("project_out.weight", new long[] {inputWidth, width});
    }
    if (normFirst && !config.flag("_remove_final_layer_norm", false)) {
      norm(shapes, "output_norm", width);
    }
    for (int i = 0; i < nLayer; i++) {
      String block = "blk." + i + ".";
      norm(shapes, block + "attn_norm", width);
      norm(shapes, block + "ffn_norm", width);
      for (String name : List.of("attn_q", "attn_k", "attn_v", "attn_output")) {
        linear(shapes, block + name, width, width);
      }
      linear(shapes, block + "ffn_up", nFf, width);
      linear(shapes, block + "ffn_down", width, nFf);
    }
    return shapes;
  }

  @Override
  protected Map<String, long[]> optional() {
    return Map.of("output.weight", new long[] {nVocab(), inputWidth});
  }

  @Override
  public void parameters(GgufWriter out, OutputType type) {
    out.u32("opt.vocab_size", nVocab());
    out.u32("opt.context_length", nCtx);
    out.u32("opt.embedding_length", width);
    out.u32("opt.embedding_length_input", inputWidth);
    out.u32("opt.feed_forward_length", nFf);
    out.u32("opt.block_count", nLayer);
    out.u32("opt.attention.head_count", config.integer("num_attention_heads"));
    out.f32("opt.attention.layer_norm_epsilon", 1e-5f); // what the class has, and no configuration
    out.bool("opt.norm_before", normFirst);
    String act = config.findString("activation_function").orElse("relu");
    if (!act.equals("relu")) {
      VisionModel.requireKnown(config, act);
    }
    out.string("opt.hidden_act", act);
    out.u32("general.file_type", type.fileType());
    GenerationKeys.write(out, context, config);
  }

  @Override
  public void tokenizer(GgufWriter out) throws IOException {
    new TokenizerConverter(context.folder(), nVocab(), context.preTokenizer()).write(out);
  }
}
