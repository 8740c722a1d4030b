package dev.ocellus.tests.quantize;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufTensor;
import dev.ocellus.quantize.MissingImportanceException;
import dev.ocellus.quantize.QuantizeOptions;
import dev.ocellus.quantize.Quantizer;
import dev.ocellus.quantize.Recipe;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The bytes of every tensor for every recipe, with and without an importance matrix. {@code
 * tensors.tsv} holds, for what llama-quantize of llama.cpp v0.4.0 gave for {@link
 * LlamaCppGolden#TEXT}, a hash over names, types and SHA-256 of all tensors.
 */
class QuantizedBytesTest {
  /** Their tables take seconds to build; the parallel test has them nevertheless. */
  private static final Set<String> SLOW = Set.of("IQ1_S", "IQ1_M", "IQ2_XS", "IQ3_XXS", "IQ2_XXS");

  @TempDir Path directory;

  @Test
  void areThoseOfLlamaQuantizeOnOneThread() throws IOException {
    compare(1, false);
  }

  @Test
  void areThoseOfLlamaQuantizeInParallel() throws IOException {
    compare(3, true);
  }

  private void compare(int nThreads, boolean slow) throws IOException {
    List<String> wrong = new ArrayList<>();
    int compared = 0;
    for (String[] line : LlamaCppGolden.lines("tensors.tsv")) {
      if (slow || !SLOW.contains(line[1])) {
        compared++;
        String found = digest(line[0].equals("imatrix"), Recipe.parse(line[1]), nThreads);
        if (!found.equals(line[2])) {
          wrong.add("%s %s: %s".formatted(line[0], line[1], found));
        }
      }
    }
    assertThat(wrong).isEmpty();
    assertThat(compared).isGreaterThan(50);
  }

  private String digest(boolean withImportance, Recipe recipe, int nThreads) throws IOException {
    Path out = directory.resolve("out.gguf");
    QuantizeOptions options =
        QuantizeOptions.builder(recipe)
            .importance(withImportance ? LlamaCppGolden.importance() : null)
            .threads(nThreads)
            .build();
    try (GgufFile in = GgufFile.open(LlamaCppGolden.TEXT)) {
      Quantizer.run(in, Quantizer.plan(in, options), out, (i, n, t) -> {}, new CancellationFlag());
    } catch (MissingImportanceException e) {
      return "refused";
    }
    StringBuilder text = new StringBuilder();
    try (GgufFile made = GgufFile.open(out)) {
      for (GgufTensor t : made.tensors()) {
        String hash = LlamaCppGolden.sha256(t.data().segment().toArray(ValueLayout.JAVA_BYTE));
        text.append(
            "%s %s %s\n".formatted(t.name(), t.type().name().toLowerCase(Locale.ROOT), hash));
      }
    }
    return LlamaCppGolden.sha256(text.toString());
  }
}
