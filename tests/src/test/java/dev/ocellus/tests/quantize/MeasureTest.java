package dev.ocellus.tests.quantize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.llama.LlamaModel;
import dev.ocellus.llama.ModelOptions;
import dev.ocellus.quantize.QuantizeOptions;
import dev.ocellus.quantize.Quantizer;
import dev.ocellus.quantize.Recipe;
import dev.ocellus.quantize.imatrix.ImportanceCollector;
import dev.ocellus.quantize.imatrix.ImportanceMatrix;
import dev.ocellus.quantize.imatrix.TextImportance;
import dev.ocellus.quantize.measure.ComparisonReport;
import dev.ocellus.quantize.measure.Divergence;
import dev.ocellus.quantize.measure.Perplexity;
import dev.ocellus.quantize.measure.ReportPage;
import dev.ocellus.quantize.measure.TextComparison;
import dev.ocellus.quantize.text.TextChunks;
import dev.ocellus.quantize.text.TextTooShortException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Perplexity, divergence and importance. The expected numbers are those of llama-perplexity and
 * llama-imatrix of llama.cpp v0.4.0 with {@code -c 64 -fa off} on {@code text.txt}; libraries of
 * other compilers round differently in the fifth digit.
 */
class MeasureTest {
  /**
   * Relative difference of a sum of squares computed on another CPU: ggml's kernels for F16 weights
   * round activations to F16 or BF16 where a CPU multiplies those. Seen: 1.1e-3.
   */
  private static final float OTHER_CPU = 4e-3f;

  private static final ContextOptions OPTIONS =
      ContextOptions.defaults()
          .withThreads(1, 1)
          .withFlashAttention(ContextOptions.FlashAttention.OFF);

  @TempDir Path directory;

  @Test
  void measuresThePerplexityOfLlamaPerplexity() throws IOException {
    try (LlamaModel model = LlamaModel.load(LlamaCppGolden.TEXT, ModelOptions.defaults())) {
      TextChunks chunks = chunks(model);
      Perplexity p =
          Perplexity.measure(model, OPTIONS, chunks, (i, n, r) -> {}, new CancellationFlag());
      String[] expected = LlamaCppGolden.lines("perplexity.tsv").getFirst();
      double value = Double.parseDouble(expected[0]);
      double error = Double.parseDouble(expected[1]);
      assertThat(p.nTokens()).isEqualTo(31L * chunks.count());
      assertThat(p.value()).isCloseTo(value, within(1e-4 * value));
      assertThat(p.error()).isCloseTo(error, within(1e-3 * error));
    }
  }

  @Test
  void gathersTheSumsOfLlamaImatrix() throws IOException {
    var collector = new ImportanceCollector(64);
    try (LlamaModel model = LlamaModel.load(LlamaCppGolden.TEXT, ModelOptions.defaults())) {
      TextImportance.collect(
          model, OPTIONS, chunks(model), collector, true, (i, n) -> {}, new CancellationFlag());
    }
    ImportanceMatrix expected = ImportanceMatrix.read(LlamaCppGolden.file("imatrix-text.gguf"));
    ImportanceMatrix found = collector.matrix();
    assertThat(found.entries().keySet()).isEqualTo(expected.entries().keySet());
    assertThat(found.nChunks()).isEqualTo(expected.nChunks());
    expected
        .entries()
        .forEach((name, e) -> {
          ImportanceMatrix.Entry f = Objects.requireNonNull(found.entries().get(name));
          assertThat(f.counts()).as(name).isEqualTo(e.counts());
          for (int i = 0; i < e.sums().length; i++) {
            assertThat(f.sums()[i])
                .as(name)
                .isCloseTo(e.sums()[i], within(OTHER_CPU * e.sums()[i]));
          }
        });
  }

  @Test
  void findsNoDivergenceOfAModelFromItself() throws IOException {
    Divergence.Result r = compare(LlamaCppGolden.TEXT);
    assertThat(r.kl().value()).isZero();
    assertThat(r.sameTop().value()).isEqualTo(1);
    assertThat(r.ratio().value()).isEqualTo(1);
  }

  @Test
  void findsMoreDivergenceWithFewerBits() throws IOException {
    double eight = compare(quantized(Recipe.Q8_0)).kl().value();
    double four = compare(quantized(Recipe.Q4_0)).kl().value();
    assertThat(eight).isPositive();
    assertThat(four).isGreaterThan(5 * eight);
  }

  @Test
  void computesDivergenceFromLogits() {
    var d = new Divergence();
    float log3 = (float) Math.log(3);
    d.add(new float[] {log3, 0}, new float[] {0, 0}, 0); // 3/4, 1/4 against 1/2, 1/2
    double expected = 0.75 * Math.log(1.5) + 0.25 * Math.log(0.5);
    assertThat(d.result().kl().value()).isCloseTo(expected, within(1e-6));
    assertThat(d.result().deltaP().value()).isCloseTo(-0.25, within(1e-6));
    assertThatThrownBy(() -> d.add(new float[2], new float[3], 0))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void refusesATextThatIsTooShort() throws IOException {
    try (LlamaModel model = LlamaModel.load(LlamaCppGolden.TEXT, ModelOptions.defaults())) {
      assertThatThrownBy(() -> TextChunks.of(model.vocab(), "short", 512, 0, -1, false))
          .isInstanceOf(TextTooShortException.class)
          .hasMessageContaining("1024");
    }
  }

  @Test
  void writesAPageThatNeedsNothingElse() throws IOException {
    Divergence.Result r = compare(quantized(Recipe.Q4_0));
    var report =
        new ComparisonReport(
            "a<b>.gguf", "b.gguf", 1, 2, r, null, 0, 0, List.of(), List.of(), List.of());
    String page = ReportPage.of(report);
    assertThat(page).contains("<svg", "a&lt;b&gt;.gguf").doesNotContain("http", "<script");
    assertThat(report.toJson().at("/text/kl/value").asDouble()).isEqualTo(r.kl().value());
  }

  private static TextChunks chunks(LlamaModel model) throws IOException {
    String text = Files.readString(LlamaCppGolden.file("text.txt"));
    return TextChunks.of(model.vocab(), text, 64, 0, -1, false);
  }

  private Divergence.Result compare(Path other) throws IOException {
    try (LlamaModel a = LlamaModel.load(LlamaCppGolden.TEXT, ModelOptions.defaults());
        LlamaModel b = LlamaModel.load(other, ModelOptions.defaults())) {
      return TextComparison.compare(
          a, b, OPTIONS, chunks(a), (i, n, r) -> {}, new CancellationFlag());
    }
  }

  private Path quantized(Recipe recipe) throws IOException {
    Path out = directory.resolve(recipe + ".gguf");
    try (GgufFile file = GgufFile.open(LlamaCppGolden.TEXT)) {
      Quantizer.run(
          file,
          Quantizer.plan(file, QuantizeOptions.of(recipe)),
          out,
          (i, n, t) -> {},
          new CancellationFlag());
    }
    return out;
  }
}
