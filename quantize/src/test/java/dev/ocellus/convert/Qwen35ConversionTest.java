package dev.ocellus.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufTensor;
import dev.ocellus.gguf.TensorType;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is special in checkpoints of Qwen3.5: one linear layer of 2 key and 6 value heads of 2. */
class Qwen35ConversionTest {
  private static final String LINEAR = "model.language_model.layers.0.linear_attn.";

  @TempDir Path folder;
  @TempDir Path out;

  private CheckpointBuilder b;

  @BeforeEach
  void checkpoint() throws IOException {
    b = CheckpointBuilder.llama(folder);
    for (String name : b.names().toArray(String[]::new)) {
      b.without(name);
    }
    b.config(
        """
        {"architectures": ["Qwen3_5ForConditionalGeneration"], "model_type": "qwen3_5",
         "text_config": {"model_type": "qwen3_5_text", "vocab_size": 16, "hidden_size": 8,
           "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 8,
           "intermediate_size": 12, "layer_types": ["linear_attention", "full_attention"],
           "linear_num_key_heads": 2, "linear_num_value_heads": 6, "linear_key_head_dim": 2,
           "linear_value_head_dim": 2, "linear_conv_kernel_dim": 3,
           "rope_parameters": {"rope_theta": 10000.0, "partial_rotary_factor": 0.5, "mrope_section": [1, 1, 0]}}}
        """);
    String model = "model.language_model.";
    b.tensor(model + "embed_tokens.weight", 16, 8).tensor("lm_head.weight", 16, 8);
    b.tensor(model + "norm.weight", 8);
    for (String layer : new String[] {model + "layers.0.", model + "layers.1."}) {
      b.tensor(layer + "input_layernorm.weight", 8);
      b.tensor(layer + "post_attention_layernorm.weight", 8);
      b.tensor(layer + "mlp.gate_proj.weight", 12, 8).tensor(layer + "mlp.up_proj.weight", 12, 8);
      b.tensor(layer + "mlp.down_proj.weight", 8, 12);
    }
    b.tensor(LINEAR + "in_proj_qkv.weight", 20, 8).tensor(LINEAR + "in_proj_z.weight", 12, 8);
    b.tensor(LINEAR + "in_proj_a.weight", 6, 8).tensor(LINEAR + "in_proj_b.weight", 6, 8);
    b.tensor(LINEAR + "conv1d.weight", 20, 1, 3).tensor(LINEAR + "out_proj.weight", 8, 12);
    b.tensor(LINEAR + "dt_bias", 6).tensor(LINEAR + "A_log", 6).tensor(LINEAR + "norm.weight", 2);
    String attending = model + "layers.1.self_attn.";
    b.tensor(attending + "q_proj.weight", 32, 8).tensor(attending + "k_proj.weight", 8, 8);
    b.tensor(attending + "v_proj.weight", 8, 8).tensor(attending + "o_proj.weight", 8, 16);
    b.tensor(attending + "q_norm.weight", 8).tensor(attending + "k_norm.weight", 8);
    b.tensor("mtp.fc.weight", 8, 16);
  }

  private GgufFile converted(OutputType type) throws IOException {
    Path file = out.resolve("text.gguf");
    Converter.convert(
        b.write(),
        ConvertOptions.defaults().withOutput(file, null).withTypes(type, type),
        ConvertProgress.NONE);
    return GgufFile.open(file);
  }

  private static float[] floats(GgufFile file, String name) {
    return file.tensor(name).floats();
  }

  @Test
  void valueHeadsComeOneOfEachKeyHeadAfterTheOther() throws IOException {
    try (GgufFile file = converted(OutputType.F32)) {
      // three value heads for each of two key heads: 0 3 1 4 2 5
      assertThat(floats(file, "blk.0.ssm_dt.bias")).containsExactly(0, 3, 1, 4, 2, 5);
      float[] qkv = floats(file, "blk.0.attn_qkv.weight");
      int[] rows = new int[20];
      for (int i = 0; i < rows.length; i++) {
        rows[i] = (int) qkv[i * 8] / 8;
      }
      assertThat(rows)
          .containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 14, 15, 10, 11, 16, 17, 12, 13, 18, 19);
      float[] first = java.util.Arrays.copyOf(floats(file, "blk.0.ssm_out.weight"), 12);
      assertThat(first).containsExactly(0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11);
      assertThat(floats(file, "blk.0.ssm_conv1d.weight")).startsWith(0, 1, 2, 3).hasSize(60);
    }
  }

  @Test
  void onlyPlainNormsKeepTheirWeights() throws IOException {
    try (GgufFile file = converted(OutputType.F32)) {
      assertThat(floats(file, "output_norm.weight")).startsWith(1, 2, 3);
      assertThat(floats(file, "blk.1.attn_q_norm.weight")).startsWith(1, 2, 3);
      assertThat(floats(file, "blk.0.ssm_norm.weight")).containsExactly(0, 1);
      assertThat(floats(file, "blk.0.ssm_a")[1]).isEqualTo((float) -Math.exp(3));
      assertThat(file.tensors()).extracting(GgufTensor::name).noneMatch(n -> n.contains("mtp"));
      assertThat(file.metadata().integer("qwen35.rope.dimension_count")).isEqualTo(4);
      assertThat(file.metadata().integer("qwen35.full_attention_interval")).isEqualTo(2);
    }
  }

  @Test
  void convolutionsStaySinglePrecision() throws IOException {
    try (GgufFile file = converted(OutputType.F16)) {
      assertThat(file.tensor("blk.0.ssm_conv1d.weight").type()).isEqualTo(TensorType.F32);
      assertThat(file.tensor("blk.0.attn_qkv.weight").type()).isEqualTo(TensorType.F16);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "linear_value_head_dim | 4 | one size for both",
        "linear_num_value_heads | 5 | a multiple of 2",
        "attention_bias | true | llama.cpp adds none",
        "hidden_act | 'gelu' | silu",
        "layer_types | ['linear_attention', 'linear_attention'] | both kinds",
        "layer_types | ['linear_attention', 'sliding_attention'] | full_attention",
        "layer_types | ['linear_attention'] | each of 2",
        "rope_parameters | {'mrope_section': [1, 0, 1], 'partial_rotary_factor': 0.5} | share out",
      })
  void refusesWhatLlamaCppComputesOtherwise(String key, String json, String message)
      throws IOException {
    var text = (com.fasterxml.jackson.databind.node.ObjectNode) b.config().get("text_config");
    text.set(
        key, new com.fasterxml.jackson.databind.ObjectMapper().readTree(json.replace('\'', '"')));
    assertThatThrownBy(() -> converted(OutputType.F32).close())
        .isInstanceOf(ConversionException.class)
        .hasMessageContaining(key)
        .hasMessageContaining(message);
  }

  @Test
  void missesATensorOfTheKindOfLayer() throws IOException {
    b.without(LINEAR + "dt_bias");
    assertThatThrownBy(() -> converted(OutputType.F32).close())
        .isInstanceOf(ConversionException.class)
        .hasMessageContaining("blk.0.ssm_dt.bias");
  }
}
