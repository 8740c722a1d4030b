package dev.ocellus.tests;

import dev.ocellus.gguf.GgufArray;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.gguf.MetadataType;
import dev.ocellus.gguf.TensorType;
import dev.ocellus.io.Memory;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Text models of some hundred kilobytes with random weights, one for every architecture that is let
 * through to libllama. What they say makes no sense, but everything on the way is computed.
 */
public final class TinyTextModel {
  private static final List<String> LIKE_LLAMA =
      List.of(
          "llama",
          "mistral3",
          "smollm3",
          "qwen",
          "qwen2",
          "qwen2vl",
          "qwen2moe",
          "qwen3",
          "qwen3vl",
          "qwen3moe",
          "qwen3vlmoe",
          "gemma",
          "gemma2",
          "gemma3",
          "internlm2",
          "phi3");

  /** All architectures that {@link #of} knows. */
  public static final List<String> ARCHITECTURES =
      Stream.concat(LIKE_LLAMA.stream(), TinyArchitecture.NAMES.stream()).toList();

  /** Those of which a part of the memory is recurrent. */
  public static final Set<String> HYBRID = TinyArchitecture.HYBRID;

  private static final int N_LAYER = 2;
  private static final int N_EMBD = 64;
  private static final int N_HEAD = 4;
  private static final int N_HEAD_KV = 2;
  private static final int HEAD_SIZE = N_EMBD / N_HEAD;
  private static final int N_FF = 96;
  private static final int N_EXPERT = 5;
  private static final int N_EXPERT_USED = 2;
  private static final int N_FF_EXPERT = 32;
  private static final float RMS_EPSILON = 1e-5f;

  private final String architecture;
  final GgufWriter out = new GgufWriter();
  private final Random random;
  private final @Nullable TinyArchitecture other;

  private TinyTextModel(String architecture, long seed) {
    this.architecture = architecture;
    this.random = new Random(seed);
    this.other =
        LIKE_LLAMA.contains(architecture) ? null : new TinyArchitecture(architecture, this);
  }

  /**
   * A model that can be changed before it is written.
   *
   * @param architecture one of {@link #ARCHITECTURES}
   */
  public static GgufWriter of(String architecture, long seed) {
    return new TinyTextModel(architecture, seed).build();
  }

  /** Writes a model. */
  public static Path write(Path file, String architecture) throws IOException {
    of(architecture, 1).write(file);
    return file;
  }

  private GgufWriter build() {
    out.string("general.architecture", architecture).string("general.name", "tiny");
    hyperparameters();
    int nVocab =
        architecture.startsWith("gemma") || architecture.equals("phi3")
            ? sentencePiece()
            : bytePairs();
    if (other != null) {
      other.ends(nVocab);
      for (int i = 0; i < nLayer(); i++) {
        other.block(i);
      }
      return out;
    }
    matrix("token_embd.weight", N_EMBD, nVocab);
    ones("output_norm.weight", N_EMBD);
    if (!architecture.startsWith("gemma")) {
      matrix("output.weight", N_EMBD, nVocab);
    }
    for (int i = 0; i < nLayer(); i++) {
      block("blk." + i + ".");
    }
    return out;
  }

  private void hyperparameters() {
    u32("block_count", nLayer());
    u32("context_length", 512);
    u32("embedding_length", N_EMBD);
    u32("feed_forward_length", N_FF);
    u32("attention.head_count", N_HEAD);
    u32("attention.head_count_kv", nHeadKv());
    out.f32(architecture + ".attention.layer_norm_rms_epsilon", RMS_EPSILON);
    out.f32(architecture + ".rope.freq_base", 10000);
    if (!architecture.equals("qwen2")) {
      u32("attention.key_length", HEAD_SIZE);
      u32("attention.value_length", HEAD_SIZE);
      u32("rope.dimension_count", HEAD_SIZE);
    }
    if (other != null) {
      other.hyperparameters();
      return;
    }
    switch (architecture) {
      case "qwen2vl", "qwen3vl", "qwen3vlmoe" ->
          out.ints(
              architecture + ".rope.dimension_sections",
              HEAD_SIZE / 4,
              HEAD_SIZE / 8,
              HEAD_SIZE / 8,
              0);
      case "gemma2", "gemma3" -> {
        u32("attention.sliding_window", 16);
        u32("attention.sliding_window_pattern", 2);
      }
      default -> {}
    }
    if (architecture.startsWith("qwen3vl")) {
      u32("n_deepstack_layers", 1);
    }
    if (isMixture()) {
      u32("expert_count", N_EXPERT);
      u32("expert_used_count", N_EXPERT_USED);
      u32("expert_feed_forward_length", N_FF_EXPERT);
    }
  }

  /** Qwen's first generation shares no keys, and calls twice the width that of its blocks. */
  private boolean isFirstQwen() {
    return architecture.equals("qwen");
  }

  private int nHeadKv() {
    if (other != null) {
      return other.nHeadKv();
    }
    return isFirstQwen() ? N_HEAD : N_HEAD_KV;
  }

  private int nLayer() {
    return architecture.equals("llama4") ? 4 : N_LAYER; // the last of four has no rotation
  }

  /** Whether a few of several experts compute each token. */
  private boolean isMixture() {
    return architecture.endsWith("moe");
  }

  void u32(String name, long value) {
    out.u32(architecture + "." + name, value);
  }

  private void block(String prefix) {
    int q = N_HEAD * HEAD_SIZE;
    int kv = nHeadKv() * HEAD_SIZE;
    int ff = isFirstQwen() ? N_FF / 2 : N_FF;
    boolean phi = architecture.equals("phi3");
    ones(prefix + "attn_norm.weight", N_EMBD);
    if (phi || isFirstQwen()) {
      matrix(prefix + "attn_qkv.weight", N_EMBD, q + 2 * kv);
    } else {
      matrix(prefix + "attn_q.weight", N_EMBD, q);
      matrix(prefix + "attn_k.weight", N_EMBD, kv);
      matrix(prefix + "attn_v.weight", N_EMBD, kv);
    }
    matrix(prefix + "attn_output.weight", q, N_EMBD);
    if (isFirstQwen()) {
      ones(prefix + "attn_qkv.bias", q + 2 * kv);
    }
    if (architecture.startsWith("qwen2")) {
      ones(prefix + "attn_q.bias", q);
      ones(prefix + "attn_k.bias", kv);
      ones(prefix + "attn_v.bias", kv);
    }
    if (architecture.startsWith("qwen3") || architecture.equals("gemma3")) {
      ones(prefix + "attn_q_norm.weight", HEAD_SIZE);
      ones(prefix + "attn_k_norm.weight", HEAD_SIZE);
    }
    ones(prefix + "ffn_norm.weight", N_EMBD);
    if (architecture.equals("gemma2") || architecture.equals("gemma3")) {
      ones(prefix + "post_attention_norm.weight", N_EMBD);
      ones(prefix + "post_ffw_norm.weight", N_EMBD);
    }
    if (isMixture()) {
      experts(prefix);
      return;
    }
    if (!phi) {
      matrix(prefix + "ffn_gate.weight", N_EMBD, ff);
    }
    matrix(prefix + "ffn_up.weight", N_EMBD, phi ? 2 * ff : ff);
    matrix(prefix + "ffn_down.weight", ff, N_EMBD);
  }

  private void experts(String prefix) {
    matrix(prefix + "ffn_gate_inp.weight", N_EMBD, N_EXPERT);
    matrices(prefix + "ffn_gate_exps.weight", N_EMBD, N_FF_EXPERT, N_EXPERT);
    matrices(prefix + "ffn_up_exps.weight", N_EMBD, N_FF_EXPERT, N_EXPERT);
    matrices(prefix + "ffn_down_exps.weight", N_FF_EXPERT, N_EMBD, N_EXPERT);
    if (architecture.equals("qwen2moe")) {
      ones(prefix + "ffn_gate_inp_shexp.weight", N_EMBD);
      matrix(prefix + "ffn_gate_shexp.weight", N_EMBD, N_FF);
      matrix(prefix + "ffn_up_shexp.weight", N_EMBD, N_FF);
      matrix(prefix + "ffn_down_shexp.weight", N_FF, N_EMBD);
    }
  }

  void ones(String name, int n) {
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = 1 + 0.1f * (float) random.nextGaussian();
    }
    out.tensor(name, TensorType.F32, new Memory(MemorySegment.ofArray(values)), n);
  }

  void matrix(String name, int columns, int rows) {
    matrices(name, columns, rows);
  }

  /** Random numbers that are not rounded, for what is no matrix to multiply with. */
  void floats(String name, int... shape) {
    int n = Arrays.stream(shape).reduce(1, (a, b) -> a * b);
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = -0.5f + 0.1f * (float) random.nextGaussian();
    }
    long[] dims = Arrays.stream(shape).asLongStream().toArray();
    out.tensor(name, TensorType.F32, new Memory(MemorySegment.ofArray(values)), dims);
  }

  void matrices(String name, int columns, int... others) {
    short[] values = new short[columns * Arrays.stream(others).reduce(1, (a, b) -> a * b)];
    float scale = (float) (1 / Math.sqrt(columns));
    for (int i = 0; i < values.length; i++) {
      values[i] = Float.floatToFloat16(scale * (float) random.nextGaussian());
    }
    long[] shape = new long[1 + others.length];
    shape[0] = columns;
    for (int i = 0; i < others.length; i++) {
      shape[1 + i] = others[i];
    }
    out.tensor(name, TensorType.F16, new Memory(MemorySegment.ofArray(values)), shape);
  }

  private static final int NORMAL = 1;
  private static final int UNKNOWN = 2;
  private static final int CONTROL = 3;
  private static final int BYTE = 6;

  private int sentencePiece() {
    List<String> tokens = new ArrayList<>(List.of("<unk>", "<s>", "</s>"));
    List<Integer> types = new ArrayList<>(List.of(UNKNOWN, CONTROL, CONTROL));
    for (int b = 0; b < 256; b++) {
      tokens.add("<0x%02X>".formatted(b));
      types.add(BYTE);
    }
    for (String text : new String[] {"▁", "e", "t", "h", "▁t", "he", "▁the", "a", "o", "n", "on"}) {
      tokens.add(text);
      types.add(NORMAL);
    }
    float[] scores = new float[tokens.size()];
    for (int i = 0; i < scores.length; i++) {
      scores[i] = -i;
    }
    out.string("tokenizer.ggml.model", "llama")
        .floats("tokenizer.ggml.scores", scores)
        .u32("tokenizer.ggml.bos_token_id", 1)
        .u32("tokenizer.ggml.eos_token_id", 2);
    return vocabulary(tokens, types);
  }

  private int bytePairs() {
    List<String> tokens = new ArrayList<>();
    List<Integer> types = new ArrayList<>();
    int beyond = 256;
    for (int b = 0; b < 256; b++) {
      boolean printable = b > ' ' && b < 0x7f || b > 0xa0 && b != 0xad;
      tokens.add(Character.toString(printable ? b : beyond++));
      types.add(NORMAL);
    }
    for (String text : new String[] {"Ġt", "he", "Ġthe", "on"}) {
      tokens.add(text);
      types.add(NORMAL);
    }
    for (String text : new String[] {"<|im_start|>", "<|im_end|>", "<|image_pad|>"}) {
      tokens.add(text);
      types.add(CONTROL);
    }
    out.string("tokenizer.ggml.model", "gpt2")
        .string("tokenizer.ggml.pre", architecture.startsWith("qwen") ? "qwen2" : "llama-bpe")
        .put("tokenizer.ggml.merges", GgufArray.ofStrings(List.of("Ġ t", "h e", "Ġt he", "o n")))
        .u32("tokenizer.ggml.bos_token_id", tokens.size() - 3)
        .u32("tokenizer.ggml.eos_token_id", tokens.size() - 2);
    return vocabulary(tokens, types);
  }

  private int vocabulary(List<String> tokens, List<Integer> types) {
    out.put(
        "tokenizer.ggml.tokens",
        GgufArray.ofBytes(tokens.stream().map(t -> t.getBytes(StandardCharsets.UTF_8)).toList()));
    out.put(
        "tokenizer.ggml.token_type",
        GgufArray.ofIntegers(
            MetadataType.I32, types.stream().mapToLong(Integer::longValue).toArray()));
    return tokens.size();
  }
}
