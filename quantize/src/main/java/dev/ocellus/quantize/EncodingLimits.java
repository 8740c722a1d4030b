package dev.ocellus.quantize;

import dev.ocellus.gguf.GgufTensor;
import dev.ocellus.gguf.TensorType;
import dev.ocellus.quantize.imatrix.Importance;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/**
 * Bounds within which ggml's quantizers compute with finite numbers only. Outside, their searches
 * compare with infinity or NaN, and those of types on a grid then end the process.
 *
 * <p>With weights up to {@code x} and importance up to {@code h}, a search weighs every column with
 * at most {@code 2hx}, its largest sum being below {@code 2^18 h x³} ({@code
 * iq1_find_best_neighbour2} in <a
 * href="https://github.com/ggml-org/llama.cpp/blob/master/ggml/src/ggml-quants.c">ggml-quants.c</a>
 * of llama.cpp v0.4.0: 8 terms {@code w (scale q - x)²} with a scale of up to 80 x). Where steps
 * wrap around, {@code make_qp_quants} sums {@code w l²} with l up to 2^22, so 2^50 h x. The bounds
 * leave both finite by a wide margin, and are far from what models hold: squares of activations are
 * below 2^33 even where activations fill F16.
 */
final class EncodingLimits {
  /** No type whose blocks have F16 scales reaches it: the most is 65504 · 128 · 32, in Q6_K. */
  private static final float LARGEST_IN_BLOCKS = 0x1p29f;

  /** The largest float that F16 does not round to infinity. */
  private static final float LARGEST_IN_F16 = 65519.996f;

  /** The largest float that BF16 does not round to infinity. */
  private static final float LARGEST_IN_BF16 = 0x1.fefffep127f;

  /** 448 · 6, and half of the step of its scale above: ggml writes larger numbers as this one. */
  private static final float LARGEST_IN_NVFP4 = 2688 * (1 + 1 / 16f);

  /** Of the importance times the third power of the weight, which is at least 1. */
  private static final double LARGEST_PRODUCT = 0x1p64;

  private static final int CHUNK = 1 << 13;
  private static final int INFINITE = 0x7f80_0000;
  private static final ValueLayout.OfInt BITS = ValueLayout.JAVA_INT;

  private final int[] bits = new int[CHUNK];

  /** The largest magnitude that can be told in a type. */
  static float largest(TensorType type) {
    return switch (type) {
      case F32, MXFP4 -> Float.MAX_VALUE; // the scales of MXFP4 are as wide as F32
      case BF16 -> LARGEST_IN_BF16;
      case F16 -> LARGEST_IN_F16;
      case NVFP4 -> LARGEST_IN_NVFP4;
      default -> LARGEST_IN_BLOCKS;
    };
  }

  /** Whether ggml weighs errors with the importance of columns when it writes this type. */
  static boolean usesImportance(TensorType type) {
    return switch (type) {
      case F32, F16, BF16, F64, I8, I16, I32, I64 -> false;
      case Q1_0, Q2_0, Q8_0, Q8_1, Q8_K, MXFP4, NVFP4, TQ1_0, TQ2_0 -> false;
      default -> true;
    };
  }

  /**
   * Checks rows before they are encoded.
   *
   * @param t the tensor that they are of, for messages
   * @param to the type that they are to have
   * @param rows F32
   * @param first index in the tensor of their first element
   * @param count elements
   * @param columns importance of the columns, not negative; null for none
   * @param importance where that is from; null for none
   * @throws InvalidTensorDataException if a weight is not finite, or too large for the type
   * @throws QuantizeException if importance and weights together are too large
   */
  void check(
      GgufTensor t,
      TensorType to,
      MemorySegment rows,
      long first,
      long count,
      @Nullable MemorySegment columns,
      @Nullable Importance importance) {
    int largest = largestBits(rows, count);
    if (largest >= INFINITE) {
      throw holds(t, rows, first, largest, "Only finite numbers can be quantized.");
    }
    float weight = Float.intBitsToFloat(largest);
    if (weight > largest(to)) {
      throw holds(
          t,
          rows,
          first,
          largest,
          "%s holds at most %s.".formatted(to.ggmlName(), Float.toString(largest(to))));
    }
    if (columns == null || importance == null || !usesImportance(to)) {
      return;
    }
    float matters = Float.intBitsToFloat(largestBits(columns, t.dim(0)));
    double w = Math.max(1, weight);
    if (matters * w * w * w > LARGEST_PRODUCT) {
      throw new QuantizeException(
          "%s: tensor %s has weights of up to %s, and %s gives its columns an importance of up to %s: their products are too large to be compared as %s. Either file is damaged, or they do not belong together; make the importance matrix again, or leave it out."
              .formatted(t.file(), t.name(), weight, importance.file(), matters, to.ggmlName()));
    }
  }

  /** The bits of the largest magnitude; infinity and then NaN are larger than all numbers. */
  private int largestBits(MemorySegment floats, long count) {
    int largest = 0;
    for (long at = 0; at < count; at += CHUNK) {
      int n = (int) Math.min(CHUNK, count - at);
      MemorySegment.copy(floats, BITS, 4 * at, bits, 0, n);
      for (int i = 0; i < n; i++) { // a loop that HotSpot makes a vector of
        largest = Math.max(largest, bits[i] & 0x7fff_ffff);
      }
    }
    return largest;
  }

  private static InvalidTensorDataException holds(
      GgufTensor t, MemorySegment rows, long first, int bitsOfIt, String why) {
    long i = 0;
    while ((rows.getAtIndex(BITS, i) & 0x7fff_ffff) != bitsOfIt) {
      i++;
    }
    float value = rows.getAtIndex(ValueLayout.JAVA_FLOAT, i);
    return new InvalidTensorDataException(
        "%s: tensor %s holds %s at element %d. %s The file is damaged, or the model was trained or converted wrongly: get it again, or keep this tensor in its type."
            .formatted(t.file(), t.name(), value, first + i, why));
  }
}
