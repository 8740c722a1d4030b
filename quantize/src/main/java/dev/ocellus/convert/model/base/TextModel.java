package dev.ocellus.convert.model.base;

import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.convert.hf.HfConfig;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.tokenizer.TokenizerConverter;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.gguf.TensorType;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A language model. What the architectures share is here: sizes, rotary positions, the names that
 * most checkpoints use. Each architecture overrides what is its own.
 *
 * <p>Keys of the metadata: <a href="https://github.com/ggml-org/ggml/blob/master/docs/gguf.md">the
 * GGUF specification</a>.
 */
public abstract class TextModel implements ModelConverter {
  /** Names of Llama and of everything that follows it. */
  protected static final NameTable NAMES =
      NameTable.of(
          "model.embed_tokens token_embd",
          "model.norm output_norm",
          "lm_head output",
          "model.layers.#.input_layernorm blk.#.attn_norm",
          "model.layers.#.self_attn.q_proj blk.#.attn_q",
          "model.layers.#.self_attn.k_proj blk.#.attn_k",
          "model.layers.#.self_attn.v_proj blk.#.attn_v",
          "model.layers.#.self_attn.o_proj blk.#.attn_output",
          "model.layers.#.self_attn.q_norm blk.#.attn_q_norm",
          "model.layers.#.self_attn.k_norm blk.#.attn_k_norm",
          "model.layers.#.post_attention_layernorm blk.#.ffn_norm",
          "model.layers.#.mlp.gate_proj blk.#.ffn_gate",
          "model.layers.#.mlp.up_proj blk.#.ffn_up",
          "model.layers.#.mlp.down_proj blk.#.ffn_down");

  private static final List<String> DROPPED =
      List.of(".attention.masked_bias", ".attention.bias", ".rotary_emb.inv_freq");

  protected final Context context;
  protected final HfConfig config;
  protected final RopeConfig rope;
  protected final int nBlock;
  protected final int nEmbd;
  protected final int nHead;
  protected final int nHeadKv;

  protected TextModel(Context context) {
    this.context = context;
    this.config = TextConfigs.of(context.folder().config());
    this.rope = RopeConfig.of(config);
    this.nBlock = config.integer("num_hidden_layers");
    this.nEmbd = config.integer("hidden_size");
    this.nHead = config.integer("num_attention_heads");
    this.nHeadKv = config.findInteger("num_key_value_heads").orElse(nHead);
    if (nHeadKv < 1 || nHead % nHeadKv != 0) {
      throw config.invalid("num_key_value_heads", "a divisor of " + nHead, "" + nHeadKv);
    }
  }

  private void requireKnownExperts() {
    if (!knowsExperts() && config.findInteger("num_local_experts", "num_experts").orElse(0) > 1) {
      throw new ConversionException(
          "%s: of mixtures of experts only those of Qwen are converted; use llama.cpp's convert_hf_to_gguf.py."
              .formatted(config.file()));
    }
  }

  /** Whether experts in the configuration are no surprise. */
  protected boolean knowsExperts() {
    return experts().isPresent();
  }

  /** The experts, in a mixture of such. */
  protected Optional<Experts> experts() {
    return Optional.empty();
  }

  /** Mistral's class has a window where there is a number, Qwen's where it is switched on. */
  private void warnOfWindow() {
    int window = config.findInteger("sliding_window").orElse(0);
    boolean used =
        config.flag("use_sliding_window", config.modelType().equals("mistral")) && window > 0;
    if (used && window < config.integerOr("max_position_embeddings", 0)) {
      context.warn(
          "sliding_window is left out, as llama.cpp has none for '%s'; nothing changes below %d tokens"
              .formatted(architecture(), window));
    }
  }

  /** The name of the norm behind the last block. */
  protected String lastNorm() {
    return "output_norm.weight";
  }

  /** What the configuration calls the epsilon of the norms. */
  protected String epsilonKey() {
    return "rms_norm_eps";
  }

  /** Names of this architecture's checkpoints. */
  protected NameTable names() {
    return NAMES;
  }

  /** Size of one head. */
  protected int headDim() {
    return config.findInteger("head_dim").orElse(nEmbd / nHead);
  }

  /** Width between the matrices of a feed-forward block. */
  protected int nFf() {
    return config.integer("intermediate_size");
  }

  /** Whether the embeddings are the head too, unless the configuration does not say. */
  protected boolean tiesEmbeddings() {
    return !config.says("tie_word_embeddings")
        || config.flag("tie_word_embeddings", false)
        || context.folder().config().flag("tie_word_embeddings", false);
  }

  /** Whether {@code attention.key_length} is written, as the class knows {@code head_dim}. */
  protected boolean saysHeadDim() {
    return config.find("head_dim") != null;
  }

  @Override
  public String generalType() {
    return "model";
  }

  @Override
  public void parameters(GgufWriter out, OutputType type) {
    requireKnownExperts();
    warnOfWindow();
    String a = architecture();
    out.u32(a + ".block_count", nBlock);
    config.findInteger("max_position_embeddings").ifPresent(n -> out.u32(a + ".context_length", n));
    out.u32(a + ".embedding_length", nEmbd);
    feedForward(out);
    out.u32(a + ".attention.head_count", nHead);
    out.u32(a + ".attention.head_count_kv", nHeadKv);
    rope.write(out, a, context);
    out.f32(a + ".attention.layer_norm_rms_epsilon", (float) config.real(epsilonKey()));
    if (saysHeadDim()) {
      out.u32(a + ".attention.key_length", headDim());
      out.u32(a + ".attention.value_length", headDim());
    }
    out.u32("general.file_type", type.fileType());
  }

  /** Widths of the feed-forward blocks. */
  protected void feedForward(GgufWriter out) {
    out.u32(architecture() + ".feed_forward_length", config.integer("intermediate_size"));
  }

  @Override
  public List<TargetTensor> tensors() {
    TextSettings settings = TextSettings.of(architecture());
    settings.check(this);
    List<TargetTensor> out = new ArrayList<>(extraTensors());
    for (Map.Entry<String, LazyTensor> e : context.folder().tensors().entrySet()) {
      Optional<String> name = TextNames.own(e.getKey());
      if (name.isPresent() && DROPPED.stream().noneMatch(name.get()::endsWith)) {
        out.addAll(map(name.get(), e.getValue()));
      }
    }
    settings.check(this, out);
    new TextShapes(this).check(out);
    return out;
  }

  /** Tensors that the checkpoint does not hold but llama.cpp wants. */
  protected List<TargetTensor> extraTensors() {
    return rope.factors(headDim()).map(List::of).orElse(List.of());
  }

  /** What becomes of a tensor, for those of an adapter. */
  public List<TargetTensor> mapped(String name, LazyTensor tensor) {
    return map(name, tensor);
  }

  /** What becomes of a tensor of the checkpoint. */
  protected List<TargetTensor> map(String name, LazyTensor tensor) {
    return List.of(new TargetTensor(gguf(name), tensor));
  }

  /**
   * Shapes that are not those of Llama, by name in a block, outermost size first. Each block that
   * does not {@linkplain #lacks lack} one must have it.
   */
  protected Map<String, long[]> ownShapes() {
    return Map.of();
  }

  /**
   * Whether a block does without a tensor that others have, or that most architectures have.
   *
   * @param tensor the name in the block, such as {@code attn_q.weight}
   */
  protected boolean lacks(int block, String tensor) {
    return false;
  }

  protected final String gguf(String name) {
    return names()
        .find(name)
        .orElseThrow(() -> context.unknownTensor(name, "architecture '" + architecture() + "'"));
  }

  @Override
  public TensorType typeOf(TargetTensor tensor, OutputType type) {
    return TensorTypes.of(tensor, type);
  }

  @Override
  public void tokenizer(GgufWriter out) throws IOException {
    new TokenizerConverter(context.folder(), nVocab(), context.preTokenizer()).write(out);
  }

  /** Rows of the embedding as the configuration says. */
  protected int nVocab() {
    return config.integer("vocab_size");
  }

  /**
   * The rows of a query or key matrix (or its bias) in the order of llama.cpp's rotation, which
   * turns neighbours, where transformers turns element {@code i} with {@code i + half}.
   */
  public static LazyTensor interleaved(LazyTensor t, int heads) {
    long rows = t.size(0);
    if (rows % (2L * heads) != 0) {
      throw new ConversionException(
          "Tensor %s: expected rows for %d heads of even size. Configuration and tensors are not of one checkpoint."
              .formatted(t, heads));
    }
    long head = rows / heads;
    long half = head / 2;
    return t.rearrange(
        t.count() / rows, i -> i / head * head + i % head % 2 * half + i % head / 2, t.shape());
  }
}
