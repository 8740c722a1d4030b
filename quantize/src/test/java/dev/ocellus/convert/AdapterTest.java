package dev.ocellus.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.gguf.GgufFile;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AdapterTest {
  private static final String QUERY = "base_model.model.model.layers.0.self_attn.q_proj.";

  @TempDir Path base;
  @TempDir Path directory;

  private final ConvertOptions options = ConvertOptions.defaults();

  @BeforeEach
  void writeBase() throws IOException {
    CheckpointBuilder.llama(base).write();
    Files.delete(base.resolve("model.safetensors")); // only the configuration is needed
  }

  private Path convert(String config, CheckpointBuilder adapter) throws IOException {
    adapter.file("adapter_config.json", config);
    adapter.writeTensors("adapter_model.safetensors", adapter.names().toArray(String[]::new));
    Path out = directory.resolve("lora.gguf");
    Converter.convertAdapter(directory, base, options.withOutput(out, null), ConvertProgress.NONE);
    return out;
  }

  private CheckpointBuilder adapter() {
    return CheckpointBuilder.in(directory)
        .tensor(QUERY + "lora_A.weight", 2, 8)
        .tensor(QUERY + "lora_B.weight", 8, 2);
  }

  @Test
  void movesRowsOfBAsThoseOfTheMatrix() throws IOException {
    try (GgufFile f = GgufFile.open(convert("{\"r\": 2, \"lora_alpha\": 16}", adapter()))) {
      assertThat(f.metadata().string("general.type")).isEqualTo("adapter");
      assertThat(f.metadata().string("adapter.type")).isEqualTo("lora");
      assertThat(f.metadata().f32("adapter.lora.alpha", 0)).isEqualTo(16);
      float[] b =
          f.tensor("blk.0.attn_q.weight.lora_b")
              .data()
              .segment()
              .toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
      assertThat(b).startsWith(0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13);
      assertThat(f.tensor("blk.0.attn_q.weight.lora_a").shape()).containsExactly(8L, 2L);
    }
  }

  @Test
  void scalesRankStabilizedAdapters() throws IOException {
    String config = "{\"r\": 4, \"lora_alpha\": 16, \"use_rslora\": true}";
    try (GgufFile f = GgufFile.open(convert(config, adapter()))) {
      assertThat(f.metadata().f32("adapter.lora.alpha", 0)).isEqualTo(32); // 32 / 4 = 16 / sqrt 4
    }
  }

  private void refuses(String config, CheckpointBuilder adapter, String... parts) {
    assertThatThrownBy(() -> convert(config, adapter))
        .isInstanceOf(ConversionException.class)
        .hasMessageContainingAll(parts);
    assertThat(directory.resolve("lora.gguf")).doesNotExist();
  }

  @Test
  void refusesWhatLlamaCppCannotAdd() {
    String plain = "{\"r\": 2, \"lora_alpha\": 16}";
    refuses("{\"use_dora\": true, \"lora_alpha\": 1}", adapter(), "use_dora");
    refuses("{\"r\": 2}", adapter(), "lora_alpha");
    refuses(plain, adapter().tensor("base_model.model.lm_head.weight", 16, 8), "lm_head", "merge");
    refuses(plain, adapter().without(QUERY + "lora_A.weight"), "only one of A and B");
    refuses(plain, adapter().tensor(QUERY + "lora_B.weight", 6, 2), "Tensor", "heads");
    refuses(plain, adapter().tensor(QUERY + "lora_A.weight", 2, 9), "[8, 8]", "[8, 9]");
  }

  @Test
  void asksForTheBase() throws IOException {
    CheckpointBuilder adapter = adapter();
    adapter.file(
        "adapter_config.json", "{\"lora_alpha\": 1, \"base_model_name_or_path\": \"org/model\"}");
    adapter.writeTensors("adapter_model.safetensors", adapter.names().toArray(String[]::new));
    assertThatThrownBy(
            () -> Converter.convertAdapter(directory, null, options, ConvertProgress.NONE))
        .isInstanceOf(ConversionException.class)
        .hasMessageContainingAll("org/model", "give its folder");
  }
}
