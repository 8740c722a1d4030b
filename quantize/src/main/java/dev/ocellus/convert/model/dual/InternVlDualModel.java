package dev.ocellus.convert.model.dual;

import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.NameTable;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.convert.tokenizer.TokenizerConverter;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/**
 * InternVL 1.0 (arXiv:2312.14238), the model of 14 billion parameters in its own layout: InternViT,
 * QLLaMA, what makes one vector of each, and the heads of captions and of matching. The file names
 * InternVL-C; as {@code clip.model_type} {@code internvl_g} it gives InternVL-G's vectors.
 */
public final class InternVlDualModel extends DualModel {
  private static final NameTable NAMES =
      NameTable.of(
          "vision_model.embeddings.patch_embedding v.patch_embd",
          "vision_model.encoder.layers.#.norm1 v.blk.#.ln1",
          "vision_model.encoder.layers.#.norm2 v.blk.#.ln2",
          "vision_model.encoder.layers.#.ls1 v.blk.#.ls1.weight",
          "vision_model.encoder.layers.#.ls2 v.blk.#.ls2.weight",
          "vision_model.encoder.layers.#.attn.proj v.blk.#.attn_out",
          "vision_model.encoder.layers.#.attn.qkv v.blk.#.attn_qkv",
          "vision_model.encoder.layers.#.attn.q_norm v.blk.#.attn_q_norm",
          "vision_model.encoder.layers.#.attn.k_norm v.blk.#.attn_k_norm",
          "vision_model.encoder.layers.#.mlp.fc1 v.blk.#.ffn_up",
          "vision_model.encoder.layers.#.mlp.fc2 v.blk.#.ffn_down",
          "qllama.model.embed_tokens t.token_embd",
          "qllama.model.norm t.output_norm",
          "qllama.lm_head t.output",
          "itm_head itm_head",
          "qllama.model.layers.#.input_layernorm t.blk.#.attn_norm",
          "qllama.model.layers.#.post_attention_layernorm t.blk.#.ffn_norm",
          "qllama.model.layers.#.self_attn.q_proj t.blk.#.attn_q",
          "qllama.model.layers.#.self_attn.k_proj t.blk.#.attn_k",
          "qllama.model.layers.#.self_attn.v_proj t.blk.#.attn_v",
          "qllama.model.layers.#.self_attn.o_proj t.blk.#.attn_out",
          "qllama.model.layers.#.mlp.gate_proj t.blk.#.ffn_gate",
          "qllama.model.layers.#.mlp.up_proj t.blk.#.ffn_up",
          "qllama.model.layers.#.mlp.down_proj t.blk.#.ffn_down",
          "qllama.model.layers.#.cross_attn.norm1 t.blk.#.cross.norm",
          "qllama.model.layers.#.cross_attn.norm2 t.blk.#.cross.states_norm",
          "qllama.model.layers.#.cross_attn.q_proj t.blk.#.cross.attn_q",
          "qllama.model.layers.#.cross_attn.k_proj t.blk.#.cross.attn_k",
          "qllama.model.layers.#.cross_attn.v_proj t.blk.#.cross.attn_v",
          "qllama.model.layers.#.cross_attn.o_proj t.blk.#.cross.attn_out");

  /** Most tokens of a text, and what stands in front of each, as the published program has it. */
  private static final int CONTEXT = 80;

  private static final String PREFIX = "summarize:";

  /** What asks for a caption in the published program. */
  private static final String CAPTION_PROMPT = "English caption:";

  public InternVlDualModel(Context context) throws IOException {
    super(
        context,
        context.folder().config().section("vision_config", "intern_vit_6b"),
        context.folder().config().section("qllama_config", "qllama"),
        processor(context.folder()));
  }

  /** Whether a configuration is this model's: transformers has another of the same class. */
  public static boolean isOne(Context context) {
    return context.folder().config().says("qllama_config");
  }

  @Override
  protected String projector() {
    return "internvl_c";
  }

  /** The positions are those of the size that is forced, where one is. */
  @Override
  protected int imageSize() {
    int forced = global.integerOr("force_image_size", 0);
    return forced > 0 ? forced : super.imageSize();
  }

  @Override
  int dimension() {
    return global.integer("clip_embed_dim");
  }

  @Override
  void textParameters(GgufWriter out) {
    out.u32("clip.text.context_length", CONTEXT);
    out.u32("clip.text.embedding_length", text.integer("hidden_size"));
    out.u32("clip.text.feed_forward_length", text.integer("intermediate_size"));
    out.u32("clip.text.projection_dim", dimension());
    out.u32("clip.text.attention.head_count", text.integer("num_attention_heads"));
    out.f32("clip.text.attention.layer_norm_rms_epsilon", (float) text.real("rms_norm_eps"));
    out.u32("clip.text.block_count", text.integer("num_hidden_layers"));
    String act = text.findString("hidden_act").orElse("silu");
    if (!act.equals("silu")) {
      throw text.invalid("hidden_act", "silu", "'" + act + "'");
    }
    out.string("clip.text.prefix", PREFIX);
    out.string("clip.text.caption_prompt", CAPTION_PROMPT);
  }

  @Override
  protected void more(GgufWriter out) {
    out.u32("clip.pool.head_count", global.integer("attn_pool_num_heads"));
  }

  @Override
  protected Optional<String> own(String name) {
    boolean unused = name.equals("logit_scale") || name.endsWith("inv_freq");
    return unused ? Optional.empty() : Optional.of(name);
  }

  @Override
  protected List<TargetTensor> map(String name, LazyTensor tensor) {
    return switch (name) {
      case "vision_model.embeddings.class_embedding" ->
          List.of(new TargetTensor("v.class_embd", tensor.reshape(tensor.count())));
      case "vision_model.embeddings.position_embedding" -> rows("v.position_embd.weight", tensor);
      case "query_tokens" -> rows("t.query", tensor);
      case "text_projection" ->
          List.of(new TargetTensor("text_projection.weight", tensor.transposed()));
      default -> other(name, tensor);
    };
  }

  private static List<TargetTensor> rows(String to, LazyTensor tensor) {
    long width = tensor.size(tensor.rank() - 1);
    return List.of(new TargetTensor(to, tensor.reshape(tensor.count() / width, width)));
  }

  private List<TargetTensor> other(String name, LazyTensor tensor) {
    if (name.startsWith("clip_projector.")) {
      return List.of(new TargetTensor("v.pool." + pool(name), tensor));
    }
    if (name.startsWith("clip_projector2.")) {
      return List.of(new TargetTensor("t.pool." + pool(name), tensor));
    }
    String target = gguf(NAMES, name, tensor);
    return target.contains("attn_qkv")
        ? thirds(
            tensor,
            target.replace("attn_qkv", "attn_q"),
            target.replace("attn_qkv", "attn_k"),
            target.replace("attn_qkv", "attn_v"))
        : List.of(new TargetTensor(target, tensor));
  }

  private static String pool(String name) {
    return name.substring(name.indexOf('.') + 1)
        .replace("norm1_", "ln_")
        .replace("cross_attn.proj.", "attn_out.")
        .replaceFirst("^cross_attn\\.([qkv])_bias$", "attn_$1.bias")
        .replaceFirst("^cross_attn\\.([qkv])\\.", "attn_$1.");
  }

  @Override
  public void tokenizer(GgufWriter out) throws IOException {
    new TokenizerConverter(context.folder(), text.integer("vocab_size"), null).write(out);
  }
}
