package dev.ocellus.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.gguf.GgufFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whole models are compared in AdaptedModelTest; here are single numbers and refusals. */
class LoraMergeTest {
  private static final String DOWN = "base_model.model.model.layers.0.mlp.down_proj.";

  @TempDir Path base;
  @TempDir Path adapter;

  @BeforeEach
  void writeBase() throws IOException {
    CheckpointBuilder.llama(base).write();
  }

  private GgufFile merged(String config, CheckpointBuilder tensors) throws IOException {
    Files.writeString(adapter.resolve("adapter_config.json"), config.replace('\'', '"'));
    tensors.writeTensors("adapter_model.safetensors", tensors.names().toArray(String[]::new));
    Path out = base.resolve("out.gguf");
    Converter.convert(
        base,
        ConvertOptions.defaults()
            .withOutput(out, null)
            .withTypes(OutputType.F32, OutputType.F32)
            .withAdapters(List.of(adapter)),
        ConvertProgress.NONE);
    return GgufFile.open(out);
  }

  private CheckpointBuilder pair(String module, int in, int out) {
    return CheckpointBuilder.in(adapter)
        .tensor(module + "lora_A.weight", 2, in)
        .tensor(module + "lora_B.weight", out, 2);
  }

  @Test
  void addsTheScaledProduct() throws IOException {
    try (GgufFile f = merged("{'r': 2, 'lora_alpha': 4}", pair(DOWN, 12, 8))) {
      float[] found = f.tensor("blk.0.ffn_down.weight").floats();
      for (int row = 0; row < 8; row++) {
        for (int column = 0; column < 12; column++) {
          int product = 2 * row * column + (2 * row + 1) * (12 + column);
          assertThat(found[row * 12 + column]).isEqualTo(row * 12 + column + 2f * product);
        }
      }
    }
  }

  @Test
  void knowsRanksOfTheirOwnAndTheRootOfTheRank() throws IOException {
    String config =
        "{'r': 4, 'lora_alpha': 4, 'use_rslora': true, 'rank_pattern': {'down_proj': 2},"
            + " 'alpha_pattern': {'mlp.down_proj': 2}}";
    try (GgufFile f = merged(config, pair(DOWN, 12, 8))) {
      double first = 12; // row 0, column 0: 0 * 0 + 1 * 12
      assertThat(f.tensor("blk.0.ffn_down.weight").floats()[0])
          .isEqualTo((float) (2 / Math.sqrt(2) * first));
    }
  }

  @Test
  void addsToEmbeddingsAndReplacesWholeTensors() throws IOException {
    CheckpointBuilder tensors =
        CheckpointBuilder.in(adapter)
            .tensor("base_model.model.model.embed_tokens.lora_embedding_A", 2, 16)
            .tensor("base_model.model.model.embed_tokens.lora_embedding_B", 8, 2)
            .tensor("base_model.model.lm_head.modules_to_save.default.weight", 16, 8);
    try (GgufFile f = merged("{'r': 2, 'lora_alpha': 2}", tensors)) {
      // token 3, element 5: A has 3 and 19 there, B 10 and 11
      assertThat(f.tensor("token_embd.weight").floats()[3 * 8 + 5])
          .isEqualTo(3 * 8 + 5 + 3 * 10 + 19 * 11);
      assertThat(f.tensor("output.weight").floats()[5]).isEqualTo(5);
    }
  }

  @Test
  void findsTensorsThatAreNamedOtherwiseInMemory() throws IOException {
    String other = "base_model.model.model.language_model.layers.0.mlp.down_proj.";
    try (GgufFile f = merged("{'r': 2, 'lora_alpha': 4}", pair(other, 12, 8))) {
      assertThat(f.tensor("blk.0.ffn_down.weight").floats()[0]).isEqualTo(24);
    }
  }

  private void refuses(String config, CheckpointBuilder tensors, String... parts) {
    assertThatThrownBy(() -> merged(config, tensors).close())
        .isInstanceOf(ConversionException.class)
        .hasMessageContainingAll(parts);
    assertThat(base.resolve("out.gguf")).doesNotExist();
  }

  @Test
  void refusesWhatItCannotAdd() {
    String plain = "{'r': 2, 'lora_alpha': 4}";
    refuses("{'r': 2, 'lora_alpha': 4, 'use_dora': true}", pair(DOWN, 12, 8), "use_dora");
    refuses("{'r': 2}", pair(DOWN, 12, 8), "lora_alpha");
    refuses("{'r': 3, 'lora_alpha': 4}", pair(DOWN, 12, 8), "'r'", "2");
    refuses("{'peft_type': 'LOHA', 'r': 2}", pair(DOWN, 12, 8), "LOHA");
    refuses(plain, pair(DOWN, 11, 8), "do not fit", "down_proj");
    refuses(plain, pair("base_model.model.model.layers.7.mlp.down_proj.", 12, 8), "layers.7");
    refuses(
        plain,
        CheckpointBuilder.in(adapter).tensor(DOWN + "lora_A.weight", 2, 12),
        "only one of A and B");
    refuses(
        plain,
        pair(DOWN, 12, 8).tensor("base_model.model.lm_head.weight", 4, 8),
        "lm_head",
        "would replace");
    refuses(
        plain,
        CheckpointBuilder.in(adapter).tensor("base_model.model.lm_head.weight", 16, 8),
        "no lora_A");
    refuses(
        "{'r': 2, 'lora_alpha': 4, 'target_parameters': ['mlp.experts.gate_up_proj']}",
        pair(DOWN, 12, 8),
        "target_parameters");
  }
}
