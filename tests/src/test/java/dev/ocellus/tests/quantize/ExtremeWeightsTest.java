package dev.ocellus.tests.quantize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.ocellus.OcellusException;
import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.compute.GgmlException;
import dev.ocellus.ggml.RowCodec;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.gguf.TensorType;
import dev.ocellus.quantize.InvalidTensorDataException;
import dev.ocellus.quantize.QuantizeException;
import dev.ocellus.quantize.QuantizeOptions;
import dev.ocellus.quantize.Quantizer;
import dev.ocellus.quantize.Recipe;
import dev.ocellus.quantize.SizePlanner;
import dev.ocellus.quantize.SizeTarget;
import dev.ocellus.quantize.imatrix.ImatrixException;
import dev.ocellus.quantize.imatrix.Importance;
import dev.ocellus.quantize.imatrix.ImportanceMatrix;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.IntUnaryOperator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Weights and importance at which ggml's quantizers would end the process. */
class ExtremeWeightsTest {
  private static final String TENSOR = "blk.0.attn_k.weight";
  private static final int WIDTH = 256;
  private static final int ROWS = 3;

  /** Powers of ten whose squares, sums of squares or scales leave the range of F32 or F16. */
  private static final float[] WEIGHTS = {
    0, 1e-45f, 1e-39f, 1e-20f, 1e-15f, 1e-12f, 1e-8f, 1e-7f, 1e-3f, 1, 1e3f, 65504, 1e6f, 1e8f,
    5e8f, 1e9f, 1e12f, 1e15f, 1e18f, 1e20f, 1e30f, 3e38f
  };

  private static final float[] IMPORTANCE = {
    0, 1e-45f, 1e-38f, 1e-20f, 1, 1e4f, 1e10f, 1e15f, 1e19f, 1e25f, 3e38f
  };

  @TempDir Path directory;

  static Stream<TensorType> encodable() {
    return Arrays.stream(TensorType.values()).filter(RowCodec::canEncode);
  }

  static Stream<TensorType> withF16Scales() {
    return encodable()
        .filter(t -> t != TensorType.F32 && t != TensorType.BF16 && t != TensorType.MXFP4);
  }

  @ParameterizedTest
  @MethodSource("withF16Scales")
  void namesTheWeightThatIsTooLarge(TensorType type) throws IOException {
    float[] weights = new float[WIDTH * ROWS];
    var random = new Random(1);
    for (int i = 0; i < weights.length; i++) {
      weights[i] = random.nextBoolean() ? 3e38f : -3e38f;
    }
    assertThatThrownBy(() -> quantize(weights, ones(), type))
        .isInstanceOf(InvalidTensorDataException.class)
        .hasMessageContainingAll("in.gguf", TENSOR, "3.0E38", "element 0", type.ggmlName());
  }

  /** 1e20 in one place was enough, 1e15 was not. */
  @ParameterizedTest
  @MethodSource("withF16Scales")
  void namesASingleWeightThatIsTooLarge(TensorType type) throws IOException {
    float[] weights = new float[WIDTH * ROWS];
    Arrays.fill(weights, 0.25f);
    weights[600] = -1e20f;
    assertThatThrownBy(() -> quantize(weights, ones(), type))
        .isInstanceOf(InvalidTensorDataException.class)
        .hasMessageContainingAll(TENSOR, "-1.0E20", "element 600");
  }

  @ParameterizedTest
  @EnumSource(
      value = TensorType.class,
      names = {"IQ1_M", "IQ2_XS", "IQ3_S", "IQ4_XS", "Q4_K", "Q4_0"})
  void refusesImportanceThatOverflowsWithTheWeights(TensorType type) throws IOException {
    float[] weights = new float[WIDTH * ROWS];
    Arrays.fill(weights, 1e6f);
    float[] importance = new float[WIDTH];
    Arrays.fill(importance, 1e30f);
    assertThatThrownBy(() -> quantize(weights, importance, type))
        .isInstanceOf(QuantizeException.class)
        .hasMessageContainingAll(TENSOR, "1000000.0", "1.0E30", "importance matrix");
  }

  @Test
  void refusesAnImportanceOfZeroEverywhere() throws IOException {
    float[] weights = new float[WIDTH * ROWS];
    Arrays.fill(weights, 1);
    assertThatThrownBy(() -> quantize(weights, new float[WIDTH], TensorType.Q4_K))
        .isInstanceOf(QuantizeException.class)
        .hasMessageContainingAll(TENSOR, "would become 0");
    quantize(weights, new float[WIDTH], TensorType.Q8_0); // which does not ask
  }

  @Test
  void namesTheImportanceThatIsNegative() throws IOException {
    Path file = LlamaCppGolden.file("one-negative.imatrix.gguf");
    ImportanceMatrix matrix = ImportanceMatrix.read(file);
    String tensor =
        matrix.entries().entrySet().stream()
            .filter(e -> hasNegative(e.getValue().sums()))
            .map(Map.Entry::getKey)
            .findFirst()
            .orElseThrow();
    assertThatThrownBy(() -> matrix.importance("one-negative.imatrix.gguf"))
        .isInstanceOf(ImatrixException.class)
        .hasMessageContainingAll("one-negative.imatrix.gguf", tensor, "-");
    assertThatThrownBy(() -> matrix.plus(matrix)).isInstanceOf(ImatrixException.class);
  }

  private static boolean hasNegative(float[] values) {
    for (float v : values) {
      if (v < 0) {
        return true;
      }
    }
    return false;
  }

  @Test
  void refusesSumsThatOverflowWhenTheyAreMerged() {
    float[] sums = new float[WIDTH];
    Arrays.fill(sums, 3e38f);
    ImportanceMatrix one = matrix(sums);
    assertThatThrownBy(() -> one.plus(one))
        .isInstanceOf(ImatrixException.class)
        .hasMessageContainingAll(TENSOR, "Infinity");
  }

  @Test
  void checksTheSampleOfASizePlanToo() throws IOException {
    float[] weights = new float[WIDTH * ROWS];
    Arrays.fill(weights, 3e38f);
    QuantizeOptions options =
        QuantizeOptions.builder(Recipe.Q8_0).importance(importance(ones())).threads(1).build();
    try (GgufFile file = GgufFile.open(model(weights))) {
      assertThatThrownBy(() ->
              SizePlanner.plan(
                  file,
                  options,
                  new SizeTarget.BitsPerWeight(3),
                  (i, n, t) -> {},
                  new CancellationFlag()))
          .isInstanceOf(InvalidTensorDataException.class)
          .hasMessageContaining(TENSOR);
    }
  }

  /** Every type with many mixtures of extremes: it works, or says what is wrong. */
  @ParameterizedTest
  @MethodSource("encodable")
  void survivesEveryMixtureOfExtremes(TensorType type) throws IOException {
    var random = new Random(type.id());
    int worked = 0;
    int refused = 0;
    for (int i = 0; i < 40; i++) {
      // both ends of a list are extremes, so most mixtures take a part of it
      int weightFrom = random.nextInt(WEIGHTS.length);
      int weightTo = weightFrom + 1 + random.nextInt(WEIGHTS.length - weightFrom);
      int importanceTo = 1 + random.nextInt(IMPORTANCE.length);
      boolean flat = random.nextBoolean();
      float[] weights =
          mixture(
              random, WEIGHTS, n -> flat ? weightFrom : random.nextInt(weightFrom, weightTo), true);
      float @Nullable [] importance =
          random.nextInt(4) == 0 && !RowCodec.needsImportance(type)
              ? null
              : Arrays.copyOf(
                  mixture(random, IMPORTANCE, n -> random.nextInt(importanceTo), false), WIDTH);
      try {
        quantize(weights, importance, type);
        worked++;
      } catch (OcellusException e) {
        assertThat(e).hasMessageContaining(TENSOR);
        refused++;
      }
    }
    assertThat(worked).as("worked").isPositive();
    if (type != TensorType.F32 && type != TensorType.MXFP4 && type != TensorType.BF16) {
      assertThat(refused).as("refused").isPositive();
    }
  }

  private static float[] mixture(
      Random random, float[] magnitudes, IntUnaryOperator choice, boolean signed) {
    float[] out = new float[WIDTH * ROWS];
    for (int i = 0; i < out.length; i++) {
      float value = magnitudes[choice.applyAsInt(i)] * (0.5f + random.nextFloat() / 2);
      out[i] = signed && random.nextBoolean() ? -value : value;
    }
    return out;
  }

  /** What no bound foresees is still an exception, not the end of the process. */
  @ParameterizedTest
  @EnumSource(
      value = TensorType.class,
      names = {"IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS", "IQ3_S"})
  void turnsAnAssertionOfTheSearchIntoAnException(TensorType type) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment rows = arena.allocate(4L * WIDTH, 64);
      MemorySegment weights = arena.allocate(4L * WIDTH, 64);
      MemorySegment blocks = arena.allocate(4L * WIDTH, 64);
      fill(weights, i -> 1);
      var random = new Random(1);
      fill(rows, i -> random.nextBoolean() ? 3e38f : -3e38f);
      Throwable equal =
          catchThrowable(() -> RowCodec.encode(type, rows, blocks, 1, WIDTH, weights));
      fill(rows, i -> 3e38f * random.nextFloat(-1, 1));
      Throwable mixed =
          catchThrowable(() -> RowCodec.encode(type, rows, blocks, 1, WIDTH, weights));
      assertThat(equal != null ? equal : mixed) // some types reach a point with one of both
          .isInstanceOf(GgmlException.class)
          .hasMessageContaining("ggml-quants.c");

      fill(rows, i -> i - 100); // encoding goes on working
      RowCodec.encode(type, rows, blocks, 1, WIDTH, weights);
      assertThat(RowCodec.isValid(type, blocks.asSlice(0, type.rowBytes(WIDTH)))).isTrue();
    }
  }

  private static void fill(MemorySegment floats, IntToFloat value) {
    for (int i = 0; i < WIDTH; i++) {
      floats.setAtIndex(ValueLayout.JAVA_FLOAT, i, value.of(i));
    }
  }

  private interface IntToFloat {
    float of(int i);
  }

  private void quantize(float[] weights, float @Nullable [] importance, TensorType type)
      throws IOException {
    QuantizeOptions.Builder options =
        QuantizeOptions.builder(Recipe.Q8_0).exactTypes(Map.of(TENSOR, type)).threads(1);
    if (importance != null) {
      options.importance(importance(importance));
    }
    try (GgufFile file = GgufFile.open(model(weights))) {
      Quantizer.run(
          file,
          Quantizer.plan(file, options.build()),
          directory.resolve("out.gguf"),
          (i, n, t) -> {},
          new CancellationFlag());
    }
  }

  private Path model(float[] weights) throws IOException {
    Path in = directory.resolve("in.gguf");
    new GgufWriter()
        .string("general.architecture", "llama")
        .tensor(TENSOR, weights, WIDTH, ROWS)
        .write(in);
    return in;
  }

  private static float[] ones() {
    float[] ones = new float[WIDTH];
    Arrays.fill(ones, 1);
    return ones;
  }

  private static Importance importance(float[] columns) {
    return matrix(columns).importance("imatrix.gguf");
  }

  private static ImportanceMatrix matrix(float[] columns) {
    return new ImportanceMatrix(
        Map.of(TENSOR, new ImportanceMatrix.Entry(columns, new long[] {1})), List.of("x"), 1, 512);
  }
}
