package dev.ocellus.convert.model.caption;

import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.hf.HfConfig;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.LlavaFit;
import dev.ocellus.convert.model.base.NameTable;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.convert.model.base.VisionModel;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * BLIP-2 (arXiv:2301.12597): EVA's vision transformer, the Q-Former and one linear layer. llama.cpp
 * has no converter for it; docs/gguf.md tells what is written.
 */
public class Blip2Vision extends VisionModel {
  private static final NameTable NAMES =
      TOWER.with(
          "encoder.layers.#.self_attn.projection v.blk.#.attn_out",
          "encoder.layers.#.self_attn.q_bias v.blk.#.attn_q.bias",
          "encoder.layers.#.self_attn.v_bias v.blk.#.attn_v.bias",
          "query_tokens qf.query",
          "language_projection mm.model.fc",
          "qformer.layernorm qf.embd_ln",
          "qformer.embeddings.layernorm qf.embd_ln",
          "qformer.embeddings.word_embeddings qf.token_embd",
          "qformer.embeddings.position_embeddings qf.position_embd",
          "qformer.layers.#.attention.attention.query qf.blk.#.attn_q",
          "qformer.layers.#.attention.attention.key qf.blk.#.attn_k",
          "qformer.layers.#.attention.attention.value qf.blk.#.attn_v",
          "qformer.layers.#.attention.output.dense qf.blk.#.attn_out",
          "qformer.layers.#.attention.output.LayerNorm qf.blk.#.attn_ln",
          "qformer.layers.#.crossattention.attention.query qf.blk.#.cross.attn_q",
          "qformer.layers.#.crossattention.attention.key qf.blk.#.cross.attn_k",
          "qformer.layers.#.crossattention.attention.value qf.blk.#.cross.attn_v",
          "qformer.layers.#.crossattention.output.dense qf.blk.#.cross.attn_out",
          "qformer.layers.#.crossattention.output.LayerNorm qf.blk.#.cross.attn_ln",
          "qformer.layers.#.intermediate.dense qf.blk.#.ffn_up",
          "qformer.layers.#.output.dense qf.blk.#.ffn_down",
          "qformer.layers.#.output.LayerNorm qf.blk.#.ffn_ln",
          "qformer.layers.#.intermediate_query.dense qf.blk.#.query.ffn_up",
          "qformer.layers.#.output_query.dense qf.blk.#.query.ffn_down",
          "qformer.layers.#.output_query.LayerNorm qf.blk.#.query.ffn_ln");

  private static final String QKV = ".self_attn.qkv.";

  final HfConfig queries;

  public Blip2Vision(Context context) throws IOException {
    this(context, "blip_2_vision_model", "blip_2_qformer");
  }

  public Blip2Vision(Context context, String visionType, String queryType) throws IOException {
    super(context, visionType);
    queries = global.section("qformer_config", queryType);
  }

  @Override
  protected String projector() {
    return "blip2";
  }

  @Override
  protected void more(GgufWriter out) {
    out.string("clip.projector_type", projector());
    out.f32("clip.vision.attention.layer_norm_epsilon", eps(1e-6));
    new LlavaFit(processor, imageSize()).write(out);
    requirePlaces();
    out.u32("clip.qformer.embedding_length", queries.integer("hidden_size"));
    out.u32("clip.qformer.feed_forward_length", queries.integer("intermediate_size"));
    out.u32("clip.qformer.block_count", queries.integer("num_hidden_layers"));
    out.u32("clip.qformer.attention.head_count", queries.integer("num_attention_heads"));
    out.f32("clip.qformer.attention.layer_norm_epsilon", (float) queries.real("layer_norm_eps"));
    String act = queries.findString("hidden_act").orElse("gelu");
    requireKnown(queries, act);
    out.string("clip.qformer.hidden_act", act);
  }

  /** The prompt has as many places for an image as there are queries. */
  private void requirePlaces() {
    int n = queryTokens();
    int said = global.integerOr("num_query_tokens", n);
    if (said != n) {
      throw global.invalid("num_query_tokens", n + ", the rows of query_tokens", "" + said);
    }
  }

  private int queryTokens() {
    LazyTensor tokens = context.folder().tensors().get("query_tokens");
    if (tokens == null || tokens.rank() < 2) {
      throw new ConversionException(
          "%s: no tensor query_tokens with learned queries. Is a file of the checkpoint missing?"
              .formatted(context.folder().directory()));
    }
    return Math.toIntExact(tokens.size(tokens.rank() - 2));
  }

  @Override
  protected Set<String> usualActivations() {
    return Set.of("gelu");
  }

  @Override
  protected Optional<String> own(String name) {
    if (name.endsWith("position_ids")) {
      return Optional.empty();
    }
    if (name.equals("query_tokens") || name.startsWith("language_projection.")) {
      return Optional.of(name);
    }
    return after(name, "qformer.encoder.layer.")
        .map(rest -> "qformer.layers." + rest)
        .or(() -> after(name, "qformer.").map(rest -> "qformer." + rest))
        .or(() -> after(name, "vision_model."));
  }

  @Override
  protected List<TargetTensor> map(String name, LazyTensor tensor) {
    int qkv = name.indexOf(QKV);
    if (qkv >= 0) {
      String block = "v.blk." + name.substring("encoder.layers.".length(), qkv) + ".attn_";
      String ending = "." + name.substring(qkv + QKV.length());
      return thirds(tensor, block + "q" + ending, block + "k" + ending, block + "v" + ending);
    }
    if (tensor.rank() == 3 && tensor.size(0) == 1) { // a batch of one
      boolean vector = tensor.size(1) == 1 && name.endsWith("class_embedding");
      long[] shape =
          vector ? new long[] {tensor.size(2)} : new long[] {tensor.size(1), tensor.size(2)};
      tensor = tensor.reshape(shape);
    }
    String target = gguf(NAMES, name, tensor);
    return List.of(
        new TargetTensor(
            target.equals("v.position_embd") ? "v.position_embd.weight" : target, tensor));
  }
}
