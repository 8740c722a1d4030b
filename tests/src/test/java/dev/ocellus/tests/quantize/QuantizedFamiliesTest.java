package dev.ocellus.tests.quantize;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.gguf.GgufFile;
import dev.ocellus.quantize.Recipe;
import dev.ocellus.tests.bench.QuantizedFamily;
import dev.ocellus.tests.bench.QuantizedFamily.ModelFiles;
import dev.ocellus.tests.bench.QuantizedFamily.Outputs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * Families that see, in every type of quantization: rows are as long as its blocks, the file is
 * opened, images and texts are computed, and what comes out is as near to F32's as it has to be.
 */
class QuantizedFamiliesTest {
  /**
   * One recipe for each type, and the least cosine of images and texts. Types of very few bits only
   * have to give numbers: random weights have nothing that survives them. Those that search for
   * their values take minutes, and stand in the table of docs/quantization.md alone.
   */
  private static final Map<Recipe, Double> LEAST = new EnumMap<>(Recipe.class);

  static {
    least(0.9999, Recipe.F16);
    least(0.999, Recipe.BF16, Recipe.Q8_0, Recipe.MXFP4_MOE);
    least(0.98, Recipe.Q6_K);
    least(0.95, Recipe.Q5_0, Recipe.Q5_1, Recipe.Q5_K_M);
    least(0.8, Recipe.Q4_0, Recipe.Q4_1, Recipe.Q4_K_M, Recipe.IQ4_NL, Recipe.IQ4_XS);
    least(0.5, Recipe.Q3_K_M);
    least(-1, Recipe.Q2_K, Recipe.TQ1_0, Recipe.TQ2_0, Recipe.Q2_0, Recipe.Q1_0);
  }

  @TempDir Path directory;

  private static void least(double cosine, Recipe... recipes) {
    for (Recipe recipe : recipes) {
      LEAST.put(recipe, cosine);
    }
  }

  @TestFactory
  Stream<DynamicTest> computesEveryType() {
    return QuantizedFamily.all().stream()
        .map(family -> DynamicTest.dynamicTest(family.name(), () -> compute(family)));
  }

  private void compute(QuantizedFamily family) throws IOException {
    ModelFiles files = family.make(Path.of("golden/models"), directory);
    Outputs exact = family.outputs(files);
    assertFinite(exact);
    for (Map.Entry<Recipe, Double> e : LEAST.entrySet()) {
      ModelFiles small = family.quantize(files, e.getKey(), directory);
      try (GgufFile file = GgufFile.open(small.text())) {
        String name = e.getKey() == Recipe.MXFP4_MOE ? "q8_0" : e.getKey().type().ggmlName();
        assertThat(file.tensors())
            .as("%s %s", family.name(), e.getKey())
            .anyMatch(tensor -> tensor.type().ggmlName().equals(name));
      }
      Outputs found = family.outputs(small);
      assertFinite(found);
      assertThat(exact.imageCosine(found))
          .as("images of %s in %s", family.name(), e.getKey())
          .isBetween(e.getValue(), 1.00001);
      assertThat(exact.textCosine(found))
          .as("texts of %s in %s", family.name(), e.getKey())
          .isBetween(e.getValue(), 1.00001);
      Files.delete(small.text());
      if (small.mmproj() != null) {
        Files.delete(small.mmproj());
      }
    }
  }

  private static void assertFinite(Outputs outputs) {
    for (List<float[]> rows : List.of(outputs.images(), outputs.texts())) {
      assertThat(rows).isNotEmpty();
      for (float[] row : rows) {
        for (float value : row) {
          assertThat(value).isFinite();
        }
      }
    }
  }
}
