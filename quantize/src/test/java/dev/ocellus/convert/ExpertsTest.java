package dev.ocellus.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Mixtures of experts come to the same file, however the checkpoint holds them. */
class ExpertsTest {
  private static final int N_EXPERT = 3;
  private static final int N_EMBD = 8;
  private static final int N_FF = 5;
  private static final String EXPERTS = "model.layers.0.mlp.experts.";

  @TempDir Path folder;
  @TempDir Path out;

  /** A number that tells where an element of an expert's matrix stands. */
  private static float element(int matrix, int expert, int row, int column) {
    return matrix * 1000 + expert * 200 + row * 10 + column;
  }

  private static float[] matrix(int matrix, int expert, int rows, int columns) {
    float[] values = new float[rows * columns];
    for (int i = 0; i < values.length; i++) {
      values[i] = element(matrix, expert, i / columns, i % columns);
    }
    return values;
  }

  private CheckpointBuilder checkpoint(String type, String architecture) throws IOException {
    CheckpointBuilder b = CheckpointBuilder.llama(folder);
    b.config(
        """
        {"architectures": ["%s"], "model_type": "%s", "vocab_size": 16,
         "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "head_dim": 4,
         "num_key_value_heads": 1, "intermediate_size": 12, "max_position_embeddings": 64,
         "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "tie_word_embeddings": false,
         "num_experts": 3, "num_experts_per_tok": 2, "moe_intermediate_size": 5}
        """
            .formatted(architecture, type));
    for (String name : new String[] {"gate_proj", "up_proj", "down_proj"}) {
      b.without("model.layers.0.mlp." + name + ".weight");
    }
    b.tensor("model.layers.0.self_attn.q_norm.weight", 4);
    b.tensor("model.layers.0.self_attn.k_norm.weight", 4);
    b.tensor("model.layers.0.mlp.gate.weight", N_EXPERT, N_EMBD);
    return b;
  }

  private CheckpointBuilder single() throws IOException {
    CheckpointBuilder b = checkpoint("qwen3_moe", "Qwen3MoeForCausalLM");
    for (int e = 0; e < N_EXPERT; e++) {
      String expert = EXPERTS + e + ".";
      b.tensor(expert + "gate_proj.weight", matrix(0, e, N_FF, N_EMBD), N_FF, N_EMBD);
      b.tensor(expert + "up_proj.weight", matrix(1, e, N_FF, N_EMBD), N_FF, N_EMBD);
      b.tensor(expert + "down_proj.weight", matrix(2, e, N_EMBD, N_FF), N_EMBD, N_FF);
    }
    return b;
  }

  /** Gate and up in one; with rows and columns exchanged as Qwen3-VL is published, or not. */
  private CheckpointBuilder together(String type, String architecture, boolean exchanged)
      throws IOException {
    float[] gateUp = new float[N_EXPERT * 2 * N_FF * N_EMBD];
    float[] down = new float[N_EXPERT * N_EMBD * N_FF];
    int rows = 2 * N_FF;
    for (int e = 0; e < N_EXPERT; e++) {
      for (int r = 0; r < rows; r++) {
        for (int c = 0; c < N_EMBD; c++) {
          int at = exchanged ? (e * N_EMBD + c) * rows + r : (e * rows + r) * N_EMBD + c;
          gateUp[at] = element(r / N_FF, e, r % N_FF, c);
        }
      }
      for (int r = 0; r < N_EMBD; r++) {
        for (int c = 0; c < N_FF; c++) {
          int at = exchanged ? (e * N_FF + c) * N_EMBD + r : (e * N_EMBD + r) * N_FF + c;
          down[at] = element(2, e, r, c);
        }
      }
    }
    long a = exchanged ? N_EMBD : rows;
    long b = exchanged ? rows : N_EMBD;
    CheckpointBuilder builder = checkpoint(type, architecture);
    builder.tensor(EXPERTS + "gate_up_proj", gateUp, N_EXPERT, a, b);
    long x = exchanged ? N_FF : N_EMBD;
    long y = exchanged ? N_EMBD : N_FF;
    return builder.tensor(EXPERTS + "down_proj", down, N_EXPERT, x, y);
  }

  private Path convert() throws IOException {
    Path file = out.resolve("model.gguf");
    Files.deleteIfExists(file);
    Converter.convert(
        folder,
        ConvertOptions.defaults()
            .withOutput(file, null)
            .withTypes(OutputType.F32, OutputType.F32)
            .withPreTokenizer("qwen2"),
        (f, share) -> true);
    return file;
  }

  private void convertsTo(String architecture) throws IOException {
    try (GgufFile file = GgufFile.open(convert())) {
      assertThat(file.metadata().string("general.architecture")).isEqualTo(architecture);
      assertThat(file.metadata().integer(architecture + ".expert_count")).isEqualTo(N_EXPERT);
      assertThat(file.metadata().integer(architecture + ".expert_used_count")).isEqualTo(2);
      assertThat(file.metadata().integer(architecture + ".expert_feed_forward_length"))
          .isEqualTo(N_FF);
      holds(file.tensor("blk.0.ffn_gate_exps.weight"), 0, N_FF, N_EMBD);
      holds(file.tensor("blk.0.ffn_up_exps.weight"), 1, N_FF, N_EMBD);
      holds(file.tensor("blk.0.ffn_down_exps.weight"), 2, N_EMBD, N_FF);
      assertThat(file.findTensor("blk.0.ffn_gate_inp.weight")).isPresent();
    }
  }

  private static void holds(GgufTensor tensor, int matrix, int rows, int columns) {
    assertThat(new long[] {tensor.dim(0), tensor.dim(1), tensor.dim(2)})
        .containsExactly(columns, rows, N_EXPERT);
    float[] values = tensor.floats();
    for (int i = 0; i < values.length; i++) {
      int e = i / (rows * columns);
      float expected = element(matrix, e, i / columns % rows, i % columns);
      assertThat(values[i]).as("%s, element %d", tensor.name(), i).isEqualTo(expected);
    }
  }

  @Test
  void stacksExpertsThatStandAlone() throws IOException {
    single().write();
    convertsTo("qwen3moe");
  }

  @Test
  void partsExpertsThatStandTogether() throws IOException {
    together("qwen3_moe", "Qwen3MoeForCausalLM", false).write();
    convertsTo("qwen3moe");
  }

  @Test
  void turnsExpertsThatArePublishedTheOtherWayRound() throws IOException {
    together("qwen3_vl_moe", "Qwen3VLMoeForConditionalGeneration", true).write();
    convertsTo("qwen3vlmoe");
    together("qwen3_vl_moe", "Qwen3VLMoeForConditionalGeneration", false).write();
    convertsTo("qwen3vlmoe");
  }

  @Test
  void missesAnExpert() throws IOException {
    single().without(EXPERTS + "1.up_proj.weight").write();
    assertThatThrownBy(this::convert)
        .isInstanceOf(ConversionException.class)
        .hasMessageContaining("blk.0.ffn_");
  }

  @Test
  void refusesWhatLlamaCppDoesNotCompute() throws IOException {
    CheckpointBuilder weights = single();
    weights.config().put("norm_topk_prob", false);
    weights.write();
    assertThatThrownBy(this::convert).hasMessageContaining("norm_topk_prob");
    CheckpointBuilder sparse = single();
    sparse.config().put("decoder_sparse_step", 2);
    sparse.write();
    assertThatThrownBy(this::convert).hasMessageContaining("decoder_sparse_step");
    CheckpointBuilder many = single();
    many.config().put("num_experts_per_tok", 4);
    many.write();
    assertThatThrownBy(this::convert).hasMessageContaining("num_experts_per_tok");
  }
}
