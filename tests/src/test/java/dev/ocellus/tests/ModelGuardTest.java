package dev.ocellus.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.OcellusException;
import dev.ocellus.UnsupportedArchitectureException;
import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.gguf.GgufArray;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufTensor;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.gguf.TensorType;
import dev.ocellus.io.Memory;
import dev.ocellus.llama.Batch;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.llama.LlamaContext;
import dev.ocellus.llama.LlamaException;
import dev.ocellus.llama.LlamaModel;
import dev.ocellus.llama.ModelOptions;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Files that libllama would end the JVM on are refused, with a reason. */
class ModelGuardTest {
  @TempDir private Path folder;

  static Stream<String> architectures() {
    return TinyTextModel.ARCHITECTURES.stream();
  }

  @ParameterizedTest
  @MethodSource("architectures")
  void everyArchitectureThatIsLetThroughComputes(String architecture) throws IOException {
    Path file = TinyTextModel.write(folder.resolve("model.gguf"), architecture);
    float[] logits = logits(file, ContextOptions.defaults().withContext(64));
    for (float f : logits) {
      assertThat(f).isFinite();
    }
  }

  private static Arguments refused(
      String what, String architecture, Consumer<GgufWriter> change, String expected) {
    return Arguments.of(what, architecture, change, expected);
  }

  static Stream<Arguments> damages() {
    return Stream.of(
        refused("interval of 0", "qwen35", w -> w.u32("qwen35.full_attention_interval", 0), "1 to"),
        refused(
            "no recurrent block",
            "qwen35",
            w -> w.u32("qwen35.full_attention_interval", 1),
            "recurrent"),
        refused(
            "no block that attends",
            "qwen35moe",
            w -> w.u32("qwen35moe.full_attention_interval", 3),
            "recurrent"),
        refused("no groups", "qwen35", w -> w.u32("qwen35.ssm.group_count", 0), "group_count"),
        refused("uneven groups", "qwen35", w -> w.u32("qwen35.ssm.group_count", 16), "group_count"),
        refused(
            "no kernel",
            "granitehybrid",
            w -> w.u32("granitehybrid.ssm.conv_kernel", 0),
            "conv_kernel"),
        refused(
            "inner size", "granitehybrid", w -> w.u32("granitehybrid.ssm.inner_size", 64), "twice"),
        refused(
            "no time steps",
            "falcon-h1",
            w -> w.u32("falcon-h1.ssm.time_step_rank", 0),
            "time_step_rank"),
        refused("short convolution", "lfm2", w -> w.u32("lfm2.shortconv.l_cache", 1), "l_cache"),
        refused(
            "only convolutions",
            "lfm2",
            w -> w.ints("lfm2.attention.head_count_kv", 0, 0),
            "recurrent"),
        refused("gating", "lfm2moe", w -> w.u32("lfm2moe.expert_gating_func", 0), "1 to 4"),
        refused("unknown gating", "glm4moe", w -> w.u32("glm4moe.expert_gating_func", 9), "0 to 4"),
        refused(
            "step",
            "ernie4_5-moe",
            w -> w.u32("ernie4_5-moe.interleave_moe_layer_step", 0),
            "step"),
        refused("few blocks", "llama4", w -> w.u32("llama4.block_count", 2), "4 or more"),
        refused(
            "no chunks",
            "llama4",
            w -> w.u32("llama4.attention.sliding_window", 0),
            "sliding_window"),
        refused(
            "half of MLA",
            "deepseek2",
            w -> w.u32("deepseek2.attention.key_length_mla", 0),
            "value_length_mla"),
        refused(
            "all of a head rotated",
            "deepseek2",
            w -> w.u32("deepseek2.rope.dimension_count", 16),
            "less than"),
        refused(
            "key heads of MLA",
            "deepseek2",
            w -> w.u32("deepseek2.attention.head_count_kv", 4),
            "head_count_kv"),
        refused(
            "groups of one", "deepseek2", w -> w.u32("deepseek2.expert_group_count", 4), "group"),
        refused(
            "temperature",
            "deepseek2",
            w -> w.f32("deepseek2.attention.temperature_scale", 0.1f),
            "temperature_length"),
        refused(
            "no windows",
            "gemma4",
            w ->
                w.put(
                    "gemma4.attention.sliding_window_pattern", GgufArray.ofBooleans(false, false)),
            "window"),
        refused(
            "shared keys",
            "gemma4",
            w -> w.u32("gemma4.attention.shared_kv_layers", 1),
            "shared_kv_layers"),
        refused(
            "key heads of norm",
            "olmoe",
            w -> w.u32("olmoe.attention.head_count_kv", 2),
            "head_count_kv"),
        refused(
            "window of nothing",
            "cohere2",
            w -> w.u32("cohere2.attention.sliding_window", 0),
            "sliding_window"),
        refused(
            "groups of no experts",
            "hunyuan-dense",
            w -> w.u32("hunyuan-dense.expert_group_count", 1),
            "release"),
        refused(
            "two experts of a dense model",
            "hunyuan-dense",
            w -> w.u32("hunyuan-dense.expert_count", 2),
            "0 to 1"),
        refused(
            "axes",
            "hunyuan_vl",
            w -> w.ints("hunyuan_vl.rope.dimension_sections", 9, 9, 9, 9),
            "sections"),
        refused(
            "no window",
            "gemma3",
            w -> w.u32("gemma3.attention.sliding_window_pattern", 1),
            "or 2 to 512"),
        refused("phi-3", "llama", w -> w.string("general.name", "Phi-3 mini"), "general.name"),
        refused("no layers", "llama", w -> w.u32("llama.block_count", 0), "block_count"),
        refused("many layers", "llama", w -> w.u32("llama.block_count", 513), "1 to 512"),
        refused("no heads", "llama", w -> w.u32("llama.attention.head_count", 0), "head_count"),
        refused("no kv heads", "qwen3", w -> w.u32("qwen3.attention.head_count_kv", 0), "kv"),
        refused("kv heads", "qwen3", w -> w.u32("qwen3.attention.head_count_kv", 3), "divisor"),
        refused("heads differ", "llama", w -> w.ints("llama.attention.head_count", 4, 2), "same"),
        refused(
            "more heads", "qwen2", w -> w.u32("qwen2.attention.head_count", 2000), "key_length"),
        refused(
            "heads beyond the embedding",
            "internlm2",
            w -> {
              w.u32("internlm2.attention.key_length", 32);
              w.u32("internlm2.attention.value_length", 32);
            },
            "embedding_length"),
        refused("odd rotation", "phi3", w -> w.u32("phi3.rope.dimension_count", 7), "even"),
        refused("wide rotation", "gemma3", w -> w.u32("gemma3.rope.dimension_count", 32), "even"),
        refused("values", "qwen3", w -> w.u32("qwen3.attention.value_length", 8), "value_length"),
        refused(
            "no sections",
            "qwen2vl",
            w -> w.ints("qwen2vl.rope.dimension_sections", 0, 0, 0, 0),
            "axes"),
        refused(
            "section",
            "qwen3vl",
            w -> w.ints("qwen3vl.rope.dimension_sections", -1, 3, 3, 3),
            "0 to 16"),
        refused("scaling", "llama", w -> w.string("llama.rope.scaling.type", "magic"), "yarn"),
        refused("experts", "qwen3", w -> w.u32("qwen3.expert_count", 8), "release"),
        refused(
            "unused experts", "llama", w -> w.u32("llama.expert_count", 8), "expert_used_count"),
        refused("no experts", "qwen3moe", w -> w.u32("qwen3moe.expert_count", 0), "1 to 1024"),
        refused("many", "qwen3moe", w -> w.u32("qwen3moe.expert_count", 1025), "1 to 1024"),
        refused("more", "qwen3vlmoe", w -> w.u32("qwen3vlmoe.expert_used_count", 6), "1 to 5"),
        refused("none used", "qwen2moe", w -> w.u32("qwen2moe.expert_used_count", 0), "1 to 5"),
        refused("groups", "qwen2moe", w -> w.u32("qwen2moe.expert_group_count", 2), "release"),
        refused("used", "llama", w -> w.u32("llama.expert_used_count", 2), "expert_used_count"),
        refused("nextn", "qwen3", w -> w.u32("qwen3.nextn_predict_layers", 1), "nextn"),
        refused("encoder", "llama", w -> w.bool("llama.attention.causal", false), "generate"),
        refused("pooling", "qwen3", w -> w.u32("qwen3.pooling_type", 3), "generate"),
        refused(
            "deepstack", "qwen3vl", w -> w.u32("qwen3vl.n_deepstack_layers", 1 << 20), "0 to 1"),
        refused(
            "deepstack in the last layer",
            "qwen3vl",
            w -> w.u32("qwen3vl.n_deepstack_layers", 2),
            "0 to 1"),
        refused(
            "window",
            "gemma3",
            w -> w.u32("gemma3.attention.sliding_window", (1L << 32) - 1),
            "sliding"),
        refused("context", "llama", w -> w.u32("llama.context_length", (1L << 32) - 1), "context"),
        refused(
            "epsilon", "llama", w -> w.f32("llama.attention.layer_norm_rms_epsilon", -1), "finite"),
        refused(
            "nan",
            "llama",
            w -> w.f32("llama.attention.layer_norm_rms_epsilon", Float.NaN),
            "finite"),
        refused("turns", "llama", w -> w.f32("llama.rope.scaling.yarn_beta_fast", -1), "positive"),
        refused("base", "llama", w -> w.f32("llama.rope.freq_base", 0), "positive"),
        refused(
            "tokenizer", "llama", w -> w.string("tokenizer.ggml.model", "no_vocab"), "tokenizer"),
        refused("pre", "llama", w -> w.string("tokenizer.ggml.pre", "whitespace"), "pre-tokenizer"),
        refused("bytes", "gemma", ModelGuardTest::dropByteToken, "every byte"),
        refused(
            "twice", "llama", w -> w.strings("tokenizer.ggml.tokens", List.of("a", "a")), "own"),
        refused(
            "empty",
            "llama",
            w -> w.strings("tokenizer.ggml.tokens", List.of("[EMPTY_1]", "")),
            "own"),
        refused(
            "nul",
            "llama",
            w -> w.strings("tokenizer.ggml.tokens", List.of("a\0b", "a\0c")),
            "own"),
        refused(
            "long",
            "llama",
            w -> w.strings("tokenizer.ggml.tokens", List.of("€".repeat(9000))),
            "bytes"));
  }

  /** Fewer layers than one period, or no period: all layers have a window. */
  @ParameterizedTest
  @ValueSource(ints = {0, 2, 3, 512})
  void layersMayAllHaveAWindow(int pattern) throws IOException {
    GgufWriter writer = TinyTextModel.of("gemma3", 1);
    writer.u32("gemma3.attention.sliding_window_pattern", pattern);
    Path file = folder.resolve("windows.gguf");
    writer.write(file);
    for (float f : logits(file, ContextOptions.defaults().withContext(64))) {
      assertThat(f).isFinite();
    }
  }

  private static void dropByteToken(GgufWriter w) {
    w.strings("tokenizer.ggml.tokens", List.of("<unk>", "<s>", "</s>", "a"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("damages")
  void refuses(String what, String architecture, Consumer<GgufWriter> change, String expected)
      throws IOException {
    GgufWriter writer = TinyTextModel.of(architecture, 1);
    change.accept(writer);
    Path file = folder.resolve("damaged.gguf");
    writer.write(file);
    assertThatThrownBy(() -> LlamaModel.load(file, ModelOptions.defaults()).close())
        .isInstanceOf(OcellusException.class)
        .hasMessageContaining(file.toString())
        .hasMessageContaining(expected);
  }

  @Test
  void refusesANormThatIsNotF32() throws IOException {
    Path file = withTensor("blk.0.attn_norm.weight", TensorType.F16, 64);
    assertThatThrownBy(() -> LlamaModel.load(file, ModelOptions.defaults()).close())
        .isInstanceOf(LlamaException.class)
        .hasMessageContaining("blk.0.attn_norm.weight")
        .hasMessageContaining("f32");
  }

  @Test
  void refusesAMatrixOfATypeThatNoKernelMultiplies() throws IOException {
    Path file = withTensor("blk.0.attn_q.weight", TensorType.I32, 64, 64);
    assertThatThrownBy(() -> LlamaModel.load(file, ModelOptions.defaults()).close())
        .isInstanceOf(LlamaException.class)
        .hasMessageContaining("blk.0.attn_q.weight")
        .hasMessageContaining("i32");
  }

  @Test
  void saysWhereAnImageEncoderBelongs() throws IOException {
    Path file = folder.resolve("mmproj.gguf");
    new GgufWriter().string("general.architecture", "clip").write(file);
    assertThatThrownBy(() -> LlamaModel.load(file, ModelOptions.defaults()))
        .isInstanceOf(UnsupportedArchitectureException.class)
        .hasMessageContaining("Give it as the mmproj");
  }

  @Test
  void tellsUnknownArchitecturesFromUnsupportedOnes() throws IOException {
    Path file = folder.resolve("other.gguf");
    new GgufWriter().string("general.architecture", "lama").write(file);
    assertThatThrownBy(() -> LlamaModel.load(file, ModelOptions.defaults()))
        .isInstanceOf(UnsupportedArchitectureException.class)
        .hasMessageContaining("similar to \"llama\"");
    new GgufWriter().string("general.architecture", "mamba").write(file);
    assertThatThrownBy(() -> LlamaModel.load(file, ModelOptions.defaults()))
        .isInstanceOf(UnsupportedArchitectureException.class)
        .hasMessageContaining("not one of those whose files are checked")
        .hasMessageContaining("allow unchecked");
  }

  /** The loader's own checks still hold; what the graph asserts is then the caller's risk. */
  @Test
  void anUncheckedArchitectureIsLetThroughWhenAllowed() throws IOException {
    Path file = folder.resolve("arcee.gguf");
    ModelOptions allowed = ModelOptions.defaults().withUncheckedArchitecture();
    TinyTextModel.of("arcee", 1).write(file);
    assertThatThrownBy(() -> LlamaModel.load(file, ModelOptions.defaults()))
        .isInstanceOf(UnsupportedArchitectureException.class);
    for (float f : logits(file, allowed, ContextOptions.defaults().withContext(64))) {
      assertThat(f).isFinite();
    }
    TinyTextModel.of("arcee", 1).u32("arcee.expert_count", 5).write(file);
    assertThatThrownBy(() -> LlamaModel.load(file, allowed))
        .isInstanceOf(LlamaException.class)
        .hasMessageContaining("expert_count");
    TinyTextModel.of("llama", 1).string("general.architecture", "lama").write(file);
    assertThatThrownBy(() -> LlamaModel.load(file, allowed))
        .isInstanceOf(UnsupportedArchitectureException.class);
  }

  @Test
  void aCacheWhoseBlocksDoNotFitTheHeadsIsRefused() throws IOException {
    Path file = TinyTextModel.write(folder.resolve("model.gguf"), "llama");
    var options =
        ContextOptions.defaults().withContext(64).withCache(TensorType.Q8_0, TensorType.Q8_0);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> logits(file, options))
        .withMessageContaining("blocks of 32");
  }

  private Path withTensor(String name, TensorType type, long... shape) throws IOException {
    Path good = TinyTextModel.write(folder.resolve("good.gguf"), "llama");
    Path bad = folder.resolve("bad.gguf");
    try (GgufFile file = GgufFile.open(good)) {
      GgufWriter writer = new GgufWriter().putAll(file.metadata());
      for (GgufTensor t : file.tensors()) {
        if (t.name().equals(name)) {
          writer.tensor(
              name,
              type,
              new Memory(MemorySegment.ofArray(new byte[(int) type.bytes(shape)])),
              shape);
        } else {
          writer.tensor(t);
        }
      }
      writer.write(bad);
    }
    return bad;
  }

  private static float[] logits(Path file, ContextOptions options) throws IOException {
    return logits(file, ModelOptions.defaults(), options);
  }

  private static float[] logits(Path file, ModelOptions loading, ContextOptions options)
      throws IOException {
    try (LlamaModel model = LlamaModel.load(file, loading);
        LlamaContext context = model.newContext(options.withThreads(1, 1));
        Batch batch = Batch.ofTokens(32)) {
      int[] tokens = model.vocab().tokenize("the hen on the thing", false);
      for (int i = 0; i < tokens.length; i++) {
        batch.add(tokens[i], i, 0, i == tokens.length - 1);
      }
      context.decode(batch, new CancellationFlag());
      float[] logits = new float[model.vocab().nTokens()];
      context.logits(tokens.length - 1, logits);
      return logits;
    }
  }
}
