package dev.ocellus.gguf;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The element types of ggml tensors: how many elements stand in one block and how many bytes a
 * block takes. A type of block size 1 is stored plainly, the others are quantized.
 *
 * <p>Ids, names and block layouts are those of ggml as shipped with llama.cpp v0.4.0 ({@code
 * ggml_type} in {@code ggml.h}, the {@code block_*} structs in {@code ggml-common.h}). Ids that
 * ggml has removed are not listed; see {@link #removed(int)}.
 */
public enum TensorType {
  F32(0, "f32", 1, 4),
  F16(1, "f16", 1, 2),
  Q4_0(2, "q4_0", 32, 18),
  Q4_1(3, "q4_1", 32, 20),
  Q5_0(6, "q5_0", 32, 22),
  Q5_1(7, "q5_1", 32, 24),
  Q8_0(8, "q8_0", 32, 34),
  Q8_1(9, "q8_1", 32, 36),
  Q2_K(10, "q2_K", 256, 84),
  Q3_K(11, "q3_K", 256, 110),
  Q4_K(12, "q4_K", 256, 144),
  Q5_K(13, "q5_K", 256, 176),
  Q6_K(14, "q6_K", 256, 210),
  Q8_K(15, "q8_K", 256, 292),
  IQ2_XXS(16, "iq2_xxs", 256, 66),
  IQ2_XS(17, "iq2_xs", 256, 74),
  IQ3_XXS(18, "iq3_xxs", 256, 98),
  IQ1_S(19, "iq1_s", 256, 50),
  IQ4_NL(20, "iq4_nl", 32, 18),
  IQ3_S(21, "iq3_s", 256, 110),
  IQ2_S(22, "iq2_s", 256, 82),
  IQ4_XS(23, "iq4_xs", 256, 136),
  I8(24, "i8", 1, 1),
  I16(25, "i16", 1, 2),
  I32(26, "i32", 1, 4),
  I64(27, "i64", 1, 8),
  F64(28, "f64", 1, 8),
  IQ1_M(29, "iq1_m", 256, 56),
  BF16(30, "bf16", 1, 2),
  TQ1_0(34, "tq1_0", 256, 54),
  TQ2_0(35, "tq2_0", 256, 66),
  MXFP4(39, "mxfp4", 32, 17),
  NVFP4(40, "nvfp4", 64, 36),
  Q1_0(41, "q1_0", 128, 18),
  Q2_0(42, "q2_0", 64, 18);

  /** One more than the largest id. */
  private static final int COUNT = 43;

  private static final @Nullable TensorType[] BY_ID = new @Nullable TensorType[COUNT];

  static {
    for (TensorType t : values()) {
      BY_ID[t.id] = t;
    }
  }

  private final int id;
  private final String ggmlName;
  private final int blockSize;
  private final int blockBytes;

  TensorType(int id, String ggmlName, int blockSize, int blockBytes) {
    this.id = id;
    this.ggmlName = ggmlName;
    this.blockSize = blockSize;
    this.blockBytes = blockBytes;
  }

  /** The type with this ggml id, or empty for an id that is unknown or removed. */
  public static Optional<TensorType> ofId(int id) {
    return Optional.ofNullable(ofIdOrNull(id));
  }

  static @Nullable TensorType ofIdOrNull(int id) {
    return id < 0 || id >= COUNT ? null : BY_ID[id];
  }

  /** For an id that ggml once had and has removed: its name and what to use instead. */
  public static Optional<String> removed(int id) {
    return switch (id) {
      case 4 -> Optional.of("Q4_2 (removed from ggml in 2023; convert the model again)");
      case 5 -> Optional.of("Q4_3 (removed from ggml in 2023; convert the model again)");
      case 31 -> Optional.of("Q4_0_4_4 (removed from ggml; use a Q4_0 file, repacked at load)");
      case 32 -> Optional.of("Q4_0_4_8 (removed from ggml; use a Q4_0 file, repacked at load)");
      case 33 -> Optional.of("Q4_0_8_8 (removed from ggml; use a Q4_0 file, repacked at load)");
      case 36 -> Optional.of("IQ4_NL_4_4 (removed from ggml; use an IQ4_NL file)");
      case 37 -> Optional.of("IQ4_NL_4_8 (removed from ggml; use an IQ4_NL file)");
      case 38 -> Optional.of("IQ4_NL_8_8 (removed from ggml; use an IQ4_NL file)");
      default -> Optional.empty();
    };
  }

  /** The {@code ggml_type} number. */
  public int id() {
    return id;
  }

  /** The name as ggml prints it, such as {@code q4_K}. */
  public String ggmlName() {
    return ggmlName;
  }

  /** Elements per block; 1 for plain types. */
  public int blockSize() {
    return blockSize;
  }

  /** Bytes per block. */
  public int blockBytes() {
    return blockBytes;
  }

  /** Whether elements are packed in blocks that share a scale. */
  public boolean isQuantized() {
    return blockSize > 1;
  }

  /** Whether elements are floats of 16 bits, of either kind. */
  public boolean isHalf() {
    return this == F16 || this == BF16;
  }

  /** Average bits per element. */
  public double bitsPerElement() {
    return 8.0 * blockBytes / blockSize;
  }

  /**
   * Bytes of one row.
   *
   * @param nElements elements in the row, at least 0 and a multiple of {@link #blockSize()}
   * @throws IllegalArgumentException if it is neither
   * @throws ArithmeticException if the result exceeds a long
   */
  public long rowBytes(long nElements) {
    if (nElements < 0 || nElements % blockSize != 0) {
      throw new IllegalArgumentException(
          "A row of type %s needs a multiple of %d elements, but %d were given"
              .formatted(ggmlName, blockSize, nElements));
    }
    return Math.multiplyExact(nElements / blockSize, blockBytes);
  }

  /**
   * Bytes of a contiguous tensor.
   *
   * @param shape sizes in ggml order, innermost first
   * @throws IllegalArgumentException if a size is negative or a row does not fill its blocks
   * @throws ArithmeticException if the result exceeds a long
   */
  public long bytes(long... shape) {
    if (shape.length == 0) {
      throw new IllegalArgumentException("A tensor needs at least one dimension");
    }
    long bytes = rowBytes(shape[0]);
    for (int i = 1; i < shape.length; i++) {
      if (shape[i] < 0) {
        throw new IllegalArgumentException(
            "Dimension %d has a negative size: %d".formatted(i, shape[i]));
      }
      bytes = Math.multiplyExact(bytes, shape[i]);
    }
    return bytes;
  }
}
