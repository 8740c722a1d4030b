package dev.ocellus.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.ocellus.UnsupportedArchitectureException;
import dev.ocellus.convert.ConvertOptions.Encoders;
import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.TensorType;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConverterTest {
  @TempDir Path directory;
  @TempDir Path out;

  private Path convert(CheckpointBuilder checkpoint, OutputType type) throws IOException {
    checkpoint.write();
    return convert(ConvertOptions.defaults().withTypes(type, type));
  }

  private Path convert(ConvertOptions options) throws IOException {
    Path file = out.resolve("model.gguf");
    Converter.convert(directory, options.withOutput(file, null), ConvertProgress.NONE);
    return file;
  }

  private static float[] floats(GgufFile file, String name) {
    return file.tensor(name).data().segment().toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
  }

  @Test
  void interleavesRowsOfQueriesAndKeys() throws IOException {
    Path file = convert(CheckpointBuilder.llama(directory), OutputType.F32);
    try (GgufFile f = GgufFile.open(file)) {
      float[] q = floats(f, "blk.0.attn_q.weight"); // 2 heads of 4 rows: 0 2 1 3, then 4 6 5 7
      assertThat(new float[] {q[0], q[8], q[16], q[24], q[32], q[40]})
          .containsExactly(0, 16, 8, 24, 32, 48);
      float[] v = floats(f, "blk.0.attn_v.weight");
      assertThat(new float[] {v[0], v[8], v[16]}).containsExactly(0, 8, 16);
    }
  }

  @Test
  void writesWhatLlamaCppAsksFor() throws IOException {
    Path file = convert(CheckpointBuilder.llama(directory), OutputType.F32);
    try (GgufFile f = GgufFile.open(file)) {
      var m = f.metadata();
      assertThat(m.string("general.architecture")).isEqualTo("llama");
      assertThat(m.string("general.size_label")).isEqualTo("0.8K"); // 760 parameters
      assertThat(m.int32("llama.rope.dimension_count")).isEqualTo(4);
      assertThat(m.int32("llama.attention.head_count_kv")).isEqualTo(1);
      assertThat(m.string("tokenizer.ggml.pre")).isEqualTo("gpt-2");
      assertThat(m.int32("tokenizer.ggml.bos_token_id")).isEqualTo(4);
      assertThat(m.string("tokenizer.chat_template")).isEqualTo("{{ x }}");
      assertThat(m.array("tokenizer.ggml.tokens").strings())
          .startsWith("a", "b", "ab", "\u0120", "<s>", "<|end|>", "two words", "[PAD7]");
      assertThat(m.array("tokenizer.ggml.token_type").longs()).startsWith(1, 1, 1, 1, 3, 3, 4, 5);
    }
  }

  @Test
  void writesThePaliGemmaOfTheDocumentation() throws IOException {
    CheckpointBuilder b = CheckpointBuilder.in(directory);
    b.config(
        """
        {"architectures": ["PaliGemmaForConditionalGeneration"], "model_type": "paligemma",
         "text_config": {"model_type": "gemma", "hidden_size": 6},
         "vision_config": {"model_type": "siglip_vision_model", "hidden_size": 4,
           "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 5,
           "image_size": 4, "patch_size": 2}}
        """);
    b.file(
        "preprocessor_config.json",
        "{\"image_mean\": [0.5,0.5,0.5], \"image_std\": [0.5,0.5,0.5]}");
    String tower = "vision_tower.vision_model.";
    b.tensor(tower + "embeddings.patch_embedding.weight", 4, 3, 2, 2);
    b.tensor(tower + "embeddings.position_embedding.weight", 4, 4);
    b.tensor(tower + "encoder.layers.0.mlp.fc1.weight", 5, 4);
    b.tensor(tower + "post_layernorm.weight", 4);
    b.tensor("multi_modal_projector.linear.weight", 6, 4);
    b.tensor("multi_modal_projector.linear.bias", 6);
    b.write();
    Path file = out.resolve("mmproj.gguf");
    Converter.convert(
        directory,
        ConvertOptions.defaults()
            .withParts(false, Encoders.YES)
            .withTypes(OutputType.F32, OutputType.F32)
            .withOutput(file, null),
        ConvertProgress.NONE);
    try (GgufFile f = GgufFile.open(file)) {
      assertThat(f.metadata().string("clip.projector_type")).isEqualTo("paligemma");
      assertThat(f.metadata().int32("clip.vision.image_size")).isEqualTo(4);
      assertThat(f.tensors().stream().map(t -> t.name()))
          .containsExactlyInAnyOrder(
              "v.patch_embd.weight",
              "v.position_embd.weight",
              "v.blk.0.ffn_up.weight",
              "v.post_ln.weight",
              "mm.model.fc.weight",
              "mm.model.fc.bias");
      assertThat(f.tensor("mm.model.fc.weight").shape()).containsExactly(4L, 6L);
    }
  }

  @Test
  void fallsBackToF16WhereRowsDoNotFillBlocks() throws IOException {
    Path file = convert(CheckpointBuilder.llama(directory), OutputType.Q8_0);
    try (GgufFile f = GgufFile.open(file)) {
      assertThat(f.tensor("token_embd.weight").type()).isEqualTo(TensorType.F16); // rows of 8
      assertThat(f.tensor("output_norm.weight").type()).isEqualTo(TensorType.F32);
      assertThat(f.metadata().int32("general.file_type")).isEqualTo(7);
    }
  }

  @Test
  void fillsWhatTheConfigurationLeavesOutWithDefaultsOfItsClass() throws IOException {
    CheckpointBuilder checkpoint = CheckpointBuilder.llama(directory);
    checkpoint.config().remove(java.util.List.of("rms_norm_eps", "max_position_embeddings"));
    try (GgufFile f = GgufFile.open(convert(checkpoint, OutputType.F32))) {
      assertThat(f.metadata().int32("llama.context_length")).isEqualTo(2048);
      assertThat(f.metadata().f32("llama.attention.layer_norm_rms_epsilon", 0)).isEqualTo(1e-6f);
    }
  }

  @Test
  void readsRopeParametersOfEitherForm() throws IOException {
    CheckpointBuilder checkpoint = CheckpointBuilder.llama(directory);
    checkpoint.config().remove("rope_theta");
    checkpoint
        .config()
        .putObject("rope_parameters")
        .put("rope_theta", 5e5)
        .put("rope_type", "linear")
        .put("factor", 4);
    try (GgufFile f = GgufFile.open(convert(checkpoint, OutputType.F32))) {
      assertThat(f.metadata().f32("llama.rope.freq_base", 0)).isEqualTo(5e5f);
      assertThat(f.metadata().string("llama.rope.scaling.type")).isEqualTo("linear");
      assertThat(f.metadata().f32("llama.rope.scaling.factor", 0)).isEqualTo(4f);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "attention_factor, 1.2772588, 1", // 0.1 ln 16 + 1, which llama.cpp takes by itself
    "attention_factor, 1, 0.782927",
    "mscale, 2, 1"
  })
  void correctsTheMagnitudeThatLlamaCppGivesYarn(String key, float value, float expected)
      throws IOException {
    CheckpointBuilder checkpoint = CheckpointBuilder.llama(directory);
    checkpoint
        .config()
        .putObject("rope_scaling")
        .put("rope_type", "yarn")
        .put("factor", 16)
        .put(key, value);
    try (GgufFile f = GgufFile.open(convert(checkpoint, OutputType.F32))) {
      var m = f.metadata();
      assertThat(m.int32("llama.rope.scaling.original_context_length")).isEqualTo(64);
      assertThat(m.f32("llama.rope.scaling.attn_factor", 1)).isCloseTo(expected, within(1e-6f));
      assertThat(m.contains("llama.rope.scaling.attn_factor")).isEqualTo(expected != 1);
    }
  }

  @Test
  void refusesYarnThatDoesNotRound() throws IOException {
    CheckpointBuilder checkpoint = CheckpointBuilder.llama(directory);
    checkpoint
        .config()
        .putObject("rope_scaling")
        .put("rope_type", "yarn")
        .put("factor", 16)
        .put("truncate", false);
    checkpoint.write();
    refuses("rope_scaling.truncate", "false");
  }

  @Test
  void warnsOfAWindowThatLlamaCppHasNot() throws IOException {
    CheckpointBuilder checkpoint = CheckpointBuilder.llama(directory);
    checkpoint.config().put("model_type", "mistral").put("sliding_window", 16);
    checkpoint.write();
    ConvertOptions options = ConvertOptions.defaults().withOutput(out.resolve("m.gguf"), null);
    assertThat(Converter.convert(directory, options, ConvertProgress.NONE).warnings())
        .singleElement()
        .asString()
        .contains("sliding_window", "16 tokens");
    checkpoint.config().put("sliding_window", 64);
    checkpoint.write();
    assertThat(Converter.convert(directory, options, ConvertProgress.NONE).warnings()).isEmpty();
  }

  @Test
  void writesTheFactorsOfLlama31() throws IOException {
    CheckpointBuilder checkpoint = CheckpointBuilder.llama(directory);
    checkpoint
        .config()
        .put("rope_theta", 5e5)
        .putObject("rope_scaling")
        .put("rope_type", "llama3")
        .put("factor", 8)
        .put("low_freq_factor", 1)
        .put("high_freq_factor", 4)
        .put("original_max_position_embeddings", 8192);
    try (GgufFile f = GgufFile.open(convert(checkpoint, OutputType.F16))) {
      // waves of 6.28 and 4443 tokens: the first is short, the second between 2048 and 8192
      float[] factors = floats(f, "rope_freqs.weight");
      assertThat(factors[0]).isEqualTo(1);
      assertThat(factors[1]).isBetween(2.5f, 2.7f);
    }
  }

  @Test
  void takesTensorsOfSeveralFiles() throws IOException {
    CheckpointBuilder checkpoint = CheckpointBuilder.llama(directory);
    Path whole = convert(checkpoint, OutputType.F32);
    byte[] expected = Files.readAllBytes(whole);
    shard(checkpoint);
    assertThat(
            Files.readAllBytes(
                convert(ConvertOptions.defaults().withTypes(OutputType.F32, OutputType.F32))))
        .isEqualTo(expected);
  }

  private void shard(CheckpointBuilder checkpoint) throws IOException {
    // sorted, as tensors are ordered by file and then by name
    String[] names = checkpoint.names().stream().sorted().toArray(String[]::new);
    String[] first = java.util.Arrays.copyOf(names, 5);
    String[] second = java.util.Arrays.copyOfRange(names, 5, names.length);
    checkpoint.writeTensors("model-00001-of-00002.safetensors", first);
    checkpoint.writeTensors("model-00002-of-00002.safetensors", second);
    StringBuilder index = new StringBuilder("{\"weight_map\": {");
    for (String name : names) {
      boolean inFirst = java.util.Arrays.asList(first).contains(name);
      index.append(
          "\"%s\": \"model-0000%d-of-00002.safetensors\",".formatted(name, inFirst ? 1 : 2));
    }
    index.setLength(index.length() - 1);
    checkpoint.file("model.safetensors.index.json", index.append("}}").toString());
    Files.delete(directory.resolve("model.safetensors"));
  }

  @Test
  void namesAMissingShard() throws IOException {
    CheckpointBuilder checkpoint = CheckpointBuilder.llama(directory);
    checkpoint.write();
    shard(checkpoint);
    Files.delete(directory.resolve("model-00002-of-00002.safetensors"));
    refuses("model-00002-of-00002.safetensors", "missing");
    Files.delete(directory.resolve("model.safetensors.index.json"));
    refuses("model-00002-of-00002.safetensors is missing, of 2 files");
  }

  private void refuses(String... parts) {
    assertThatThrownBy(() -> convert(ConvertOptions.defaults()))
        .isInstanceOf(ConversionException.class)
        .hasMessageContainingAll(parts);
    assertThat(filesIn(out)).isEmpty();
  }

  private static java.util.List<String> filesIn(Path directory) {
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(p -> Objects.toString(p.getFileName())).toList();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "model.norm.weight | output_norm.weight",
        "model.layers.0.mlp.up_proj.weight | blk.0.ffn_up.weight",
        "lm_head.weight | lm_head.weight is missing, and tie_word_embeddings is false"
      })
  void namesAMissingTensor(String name, String message) throws IOException {
    CheckpointBuilder.llama(directory).without(name).write();
    refuses(message);
  }

  @Test
  void namesATensorOfAWrongShape() throws IOException {
    CheckpointBuilder.llama(directory).tensor("model.norm.weight", 7).write();
    refuses("model.norm.weight", "[8]", "[7]");
  }

  @Test
  void namesATensorThatHasNoPlace() throws IOException {
    CheckpointBuilder.llama(directory).tensor("model.layers.0.mlp.expert.weight", 7).write();
    refuses("model.layers.0.mlp.expert.weight", "llama");
  }

  @Test
  void refusesNumbersThatAreNone() throws IOException {
    float[] values = new float[64];
    values[10] = Float.NaN;
    CheckpointBuilder.llama(directory)
        .tensor("model.layers.0.self_attn.o_proj.weight", values, 8, 8)
        .write();
    refuses("model.layers.0.self_attn.o_proj.weight", "NaN at element 10");
  }

  @Test
  void refusesNumbersThatF16CannotHold() throws IOException {
    float[] values = new float[64];
    values[3] = 1e6f;
    CheckpointBuilder.llama(directory)
        .tensor("model.layers.0.self_attn.o_proj.weight", values, 8, 8)
        .write();
    refuses("1000000.0 at element 3", "Convert to bf16");
  }

  @Test
  void saysWhichArchitecturesAreKnown() throws IOException {
    CheckpointBuilder.llama(directory)
        .config("{\"architectures\": [\"MadeUpForCausalLM\"], \"model_type\": \"made_up\"}")
        .write();
    assertThatThrownBy(() -> convert(ConvertOptions.defaults()))
        .isInstanceOf(UnsupportedArchitectureException.class)
        .hasMessageContainingAll("MadeUpForCausalLM", "Qwen2ForCausalLM", "docs/ADDING_A_MODEL.md");
  }

  @Test
  void asksForTheTokenizer() throws IOException {
    CheckpointBuilder.llama(directory).write();
    Files.delete(directory.resolve("tokenizer.json"));
    refuses("tokenizer.model", "tokenizer.json");
  }

  @Test
  void tellsOfATokenizerOfAnotherModel() throws IOException {
    CheckpointBuilder.llama(directory)
        .file(
            "tokenizer.json",
            "{\"pre_tokenizer\": {\"type\": \"ByteLevel\"}, \"model\": {\"vocab\": {\"a\": 16}}}")
        .write();
    refuses("token 'a'", "below the 16 rows", "16");
  }

  @Test
  void forcesAPreTokenizerThatIsNotKnown() throws IOException {
    CheckpointBuilder.llama(directory)
        .file(
            "tokenizer.json",
            "{\"pre_tokenizer\": {\"type\": \"Whitespace\"}, \"model\": {\"vocab\": {\"a\": 1}, \"merges\": [\"a b\"]}}")
        .write();
    refuses("[Whitespace]", "one can be forced");
    try (GgufFile f = GgufFile.open(convert(ConvertOptions.defaults().withPreTokenizer("olmo")))) {
      assertThat(f.metadata().string("tokenizer.ggml.pre")).isEqualTo("olmo");
    }
  }

  @Test
  void refusesAnImageEncoderThatIsNotThere() throws IOException {
    CheckpointBuilder.llama(directory).write();
    assertThatThrownBy(() -> convert(ConvertOptions.defaults().withParts(false, Encoders.YES)))
        .isInstanceOf(ConversionException.class)
        .hasMessageContaining("no vision_config");
  }

  @Test
  void doesNotOverwriteWhatIsNoGguf() throws IOException {
    CheckpointBuilder.llama(directory).write();
    Path file = Files.writeString(out.resolve("model.gguf"), "my thesis");
    assertThatThrownBy(() -> convert(ConvertOptions.defaults()))
        .isInstanceOf(ConversionException.class)
        .hasMessageContaining("is no GGUF file");
    assertThat(file).hasContent("my thesis");
  }

  @Test
  void leavesNothingBehindWhenItIsCancelled() throws IOException {
    CheckpointBuilder.llama(directory).write();
    ConvertOptions options = ConvertOptions.defaults().withOutput(null, out);
    assertThatThrownBy(() -> Converter.convert(directory, options, (file, share) -> share < 0.5))
        .isInstanceOf(CancellationException.class);
    assertThat(filesIn(out)).isEmpty();
  }

  @Test
  void namesFilesAfterTheModelAndItsType() throws IOException {
    CheckpointBuilder.llama(directory).write();
    ConvertReport report =
        Converter.convert(
            directory,
            ConvertOptions.defaults().withOutput(null, out).withModelName("My Model/1"),
            ConvertProgress.NONE);
    assertThat(report.files())
        .extracting(f -> Objects.toString(f.path().getFileName()))
        .containsExactly("My-Model-1-F16.gguf");
    assertThat(report.files().getFirst().tensorTypes())
        .isEqualTo(Map.of(TensorType.F32, 3, TensorType.F16, 9));
  }
}
