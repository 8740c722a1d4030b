package dev.ocellus.tests.fuzz;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.ggml.RowCodec;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufTensor;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.gguf.TensorType;
import dev.ocellus.quantize.QuantizeOptions;
import dev.ocellus.quantize.Quantizer;
import dev.ocellus.quantize.Recipe;
import dev.ocellus.quantize.imatrix.ImportanceMatrix;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/** A model of one matrix, whose weights may be anything, and what quantizing it gives. */
final class ExtremeModel {
  static final String TENSOR = "blk.0.attn_k.weight";
  static final int WIDTH = 256;
  static final List<TensorType> TYPES =
      Arrays.stream(TensorType.values()).filter(RowCodec::canEncode).toList();

  /** Powers of ten whose squares, sums of squares or scales leave the range of F32 or F16. */
  private static final float[] MAGNITUDES = {
    0, 1e-45f, 1e-39f, 1e-30f, 1e-20f, 1e-15f, 1e-12f, 1e-8f, 1e-6f, 1e-4f, 1e-2f, 1, 10, 1e3f,
    65504, 65536, 1e6f, 1e8f, 5e8f, 1e9f, 1e12f, 1e15f, 1e18f, 1e19f, 1e20f, 1e25f, 1e30f, 3e38f
  };

  private ExtremeModel() {}

  /** ggml computes for seconds before it can quantize to a type of the IQ families. */
  static void makeTables() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment rows = arena.allocate(4L * WIDTH, 64);
      MemorySegment blocks = arena.allocate(4L * WIDTH, 64);
      MemorySegment importance = arena.allocate(4L * WIDTH, 64);
      for (int i = 0; i < WIDTH; i++) {
        rows.setAtIndex(ValueLayout.JAVA_FLOAT, i, i - 100);
        importance.setAtIndex(ValueLayout.JAVA_FLOAT, i, 1);
      }
      TYPES.forEach(type -> RowCodec.encode(type, rows, blocks, 1, WIDTH, importance));
    }
  }

  /** Numbers of a random range of magnitudes, or all of the same one, with some that stand out. */
  static float[] values(SplittableRandom random, int n, boolean signed) {
    int from = random.nextInt(MAGNITUDES.length);
    int to = from + 1 + random.nextInt(MAGNITUDES.length - from);
    int outliers = random.nextInt(3) == 0 ? random.nextInt(1, 9) : 0;
    boolean flat = random.nextInt(4) == 0;
    float[] out = new float[n];
    for (int i = 0; i < n; i++) {
      float value = MAGNITUDES[random.nextInt(from, to)];
      value *= flat ? 1 : 0.5f + (float) random.nextDouble() / 2;
      out[i] = signed && random.nextBoolean() ? -value : value;
    }
    for (int i = 0; i < outliers; i++) {
      out[random.nextInt(n)] = MAGNITUDES[random.nextInt(MAGNITUDES.length)];
    }
    if (random.nextInt(20) == 0) {
      out[random.nextInt(n)] = EdgeValues.real(random); // NaN and infinity too
    }
    return out;
  }

  /**
   * Quantizes, and checks that what was written can be used.
   *
   * @throws IllegalStateException if it cannot
   */
  static void quantize(
      Path folder, float[] weights, TensorType type, @Nullable ImportanceMatrix importance)
      throws IOException {
    Path in = folder.resolve("in.gguf");
    new GgufWriter()
        .string("general.architecture", "llama")
        .tensor(TENSOR, weights, WIDTH, weights.length / WIDTH)
        .write(in);
    QuantizeOptions.Builder options =
        QuantizeOptions.builder(Recipe.Q8_0).exactTypes(Map.of(TENSOR, type)).threads(1);
    if (importance != null) {
      options.importance(importance.importance("imatrix"));
    }
    Path out = folder.resolve("out.gguf");
    try (GgufFile file = GgufFile.open(in)) {
      Quantizer.run(
          file,
          Quantizer.plan(file, options.build()),
          out,
          (i, n, t) -> {},
          new CancellationFlag());
    }
    try (GgufFile file = GgufFile.open(out)) {
      GgufTensor tensor = file.tensor(TENSOR);
      GeneratedTarget.require(tensor.type() == type, "another type: " + tensor.type());
      GeneratedTarget.require(
          RowCodec.isValid(type, tensor.data().segment()), "not valid as " + type);
    }
  }
}
