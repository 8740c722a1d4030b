package dev.ocellus.tests.quantize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.Setting;
import dev.ocellus.SettingsRelated;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.quantize.PlannedTensor;
import dev.ocellus.quantize.QuantizeException;
import dev.ocellus.quantize.QuantizeOptions;
import dev.ocellus.quantize.QuantizePlan;
import dev.ocellus.quantize.Quantizer;
import dev.ocellus.quantize.Recipe;
import dev.ocellus.quantize.imatrix.Importance;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The types that every recipe chooses for models of many shapes. {@code recipes.tsv} holds, for
 * what {@code llama-quantize --dry-run} of llama.cpp v0.4.0 printed about the {@link RecipeModels},
 * the number of tensors and a hash of their names and types.
 */
class RecipeChoicesTest {
  @TempDir static Path directory;
  private static final Map<String, GgufFile> FILES = new HashMap<>();
  private static Importance importance;

  @BeforeAll
  static void writeModels() throws IOException {
    importance = LlamaCppGolden.importance();
    for (Map.Entry<String, GgufWriter> e : RecipeModels.all().entrySet()) {
      Path file = directory.resolve(e.getKey() + ".gguf");
      e.getValue().write(file);
      FILES.put(e.getKey(), GgufFile.open(file));
    }
  }

  @AfterAll
  static void close() {
    FILES.values().forEach(GgufFile::close);
  }

  @Test
  void areThoseOfLlamaQuantize() throws IOException {
    List<String> wrong = new ArrayList<>();
    List<String[]> lines = LlamaCppGolden.lines("recipes.tsv");
    for (String[] line : lines) {
      QuantizePlan plan = plan(line[0], line[1], line[2]);
      StringBuilder text = new StringBuilder();
      for (PlannedTensor t : plan.tensors()) {
        text.append(t.name()).append(' ').append(t.type().ggmlName()).append('\n');
      }
      boolean same =
          plan.tensors().size() == Integer.parseInt(line[3])
              && LlamaCppGolden.sha256(text.toString()).startsWith(line[4]);
      if (!same) {
        wrong.add(String.join(" ", line) + "\n" + text);
      }
    }
    assertThat(lines).hasSizeGreaterThan(1000);
    assertThat(wrong).isEmpty();
  }

  /** llama-quantize ends with an assertion here, as it asks for the heads of a text model. */
  @Test
  void reachImageEncodersToo() {
    QuantizePlan plan = plan("clip-24", "plain", "Q2_K");
    assertThat(plan.tensors())
        .filteredOn(t -> t.name().endsWith("attn_v.weight"))
        .extracting(t -> t.type().ggmlName())
        .containsOnly("q3_K");
  }

  @Test
  void refuseRowsThatNoTypeHolds() {
    assertThatThrownBy(() -> plan("odd-100", "plain", "Q1_0"))
        .isInstanceOf(QuantizeException.class)
        .hasMessageContaining("rows of 100 do not fill blocks of 128")
        .extracting(e -> ((SettingsRelated) e).settings().getFirst())
        .isEqualTo(Setting.TENSOR_TYPE);
  }

  private static QuantizePlan plan(String model, String mode, String recipe) {
    return Quantizer.plan(
        Objects.requireNonNull(FILES.get(model)),
        QuantizeOptions.builder(Recipe.parse(recipe))
            .importance(mode.equals("imatrix") ? importance : null)
            .build());
  }
}
