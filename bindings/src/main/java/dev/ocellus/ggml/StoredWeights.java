package dev.ocellus.ggml;

import dev.ocellus.ffi.ggml_tensor;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufTensor;
import dev.ocellus.gguf.TensorType;
import java.lang.foreign.MemorySegment;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Quantized weights of a text model as they lie in its file, for processors that multiply BF16
 * faster than ggml's kernels multiply whole numbers: those with AMX or AVX512-BF16
 * (docs/decisions/0018).
 *
 * <p>ggml copies such weights into a layout of its own, which single tokens are computed with. Long
 * prompts are multiplied with those of the file, widened to BF16 a piece at a time. A tensor of
 * libllama is known by its address once its name was looked up, which happens while a context of
 * its model is made.
 */
public final class StoredWeights implements AutoCloseable {
  private static final Set<TensorType> TYPES =
      EnumSet.of(
          TensorType.Q4_0,
          TensorType.Q4_1,
          TensorType.Q5_0,
          TensorType.Q5_1,
          TensorType.Q2_K,
          TensorType.Q3_K,
          TensorType.Q4_K,
          TensorType.Q5_K,
          TensorType.Q6_K,
          TensorType.IQ4_NL,
          TensorType.IQ4_XS,
          TensorType.IQ3_S,
          TensorType.IQ3_XXS,
          TensorType.IQ2_S,
          TensorType.IQ2_XS,
          TensorType.IQ2_XXS);

  /** Those of the model whose context this thread is making. */
  private static final ThreadLocal<@Nullable StoredWeights> CURRENT = new ThreadLocal<>();

  private static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);
  private static final int MAX_NAME = 64;

  private final GgufFile file;
  private final Map<String, GgufTensor> byName = new HashMap<>();

  private StoredWeights(GgufFile file) {
    this.file = file;
    for (GgufTensor tensor : file.tensors()) {
      if (isTaken(tensor)) {
        byName.put(tensor.name(), tensor);
      }
    }
  }

  /**
   * The weights of a file that would be taken; empty where there are none or nothing multiplies
   * BF16.
   *
   * @param file closed with what is returned; where that is empty, it stays the caller's
   * @param accel what is to multiply
   */
  public static Optional<StoredWeights> of(GgufFile file, Accel accel) {
    return accel.multipliesBf16() && file.tensors().stream().anyMatch(StoredWeights::isTaken)
        ? Optional.of(new StoredWeights(file))
        : Optional.empty();
  }

  /** What ggml found in this processor, asked for once as every node of a graph needs it. */
  private static final class Processor {
    private static final Set<String> FEATURES =
        Set.copyOf(BackendFunctions.of(Device.cpu().handle()).features());

    private static final boolean HAS_MATRIX_UNIT = FEATURES.contains("AMX_INT8");
    private static final boolean HAS_BF16 = HAS_MATRIX_UNIT || FEATURES.contains("AVX512_BF16");
    private static final int MIN_ROWS = HAS_MATRIX_UNIT ? 64 : 128;
  }

  /** Whether the processor multiplies BF16; if not, no library is loaded for these. */
  static boolean isWorthwhile() {
    return Processor.HAS_BF16;
  }

  /** Whether it has AMX. */
  public static boolean hasMatrixUnit() {
    return Processor.HAS_MATRIX_UNIT;
  }

  /** From so many rows on, widening the weights costs less than the products gain. */
  static int minRows() {
    return AccelNode.EVERYTHING ? 1 : Processor.MIN_ROWS;
  }

  /**
   * Whether long products with a tensor are taken. Experts are not: ggml picks among them. Nor is
   * Q8_0 with AMX, as ggml multiplies it there as fast as it can be widened.
   */
  static boolean isTaken(GgufTensor tensor) {
    boolean isTaken =
        tensor.type() == TensorType.Q8_0 ? !hasMatrixUnit() : TYPES.contains(tensor.type());
    return isTaken && tensor.nDims() == 2 && Accel.isLargeMatrix(tensor);
  }

  /** Runs what makes a context of libllama, whose tensors are then known. */
  public static <T> T resolving(@Nullable StoredWeights weights, Supplier<T> body) {
    CURRENT.set(weights);
    try {
      return body.get();
    } finally {
      CURRENT.remove();
    }
  }

  /** Whether this thread makes a context. */
  static boolean isResolving() {
    return CURRENT.get() != null;
  }

  /**
   * Looks for a tensor of libllama.
   *
   * @return null if it is none that is taken
   */
  static @Nullable FileMatrix find(long tensor) {
    FileMatrix known = FileMatrix.find(tensor);
    if (known != null) {
      return known;
    }
    StoredWeights current = CURRENT.get();
    return current == null ? null : current.resolve(tensor);
  }

  private @Nullable FileMatrix resolve(long tensor) {
    String name = MEMORY.asSlice(tensor + ggml_tensor.name$offset(), MAX_NAME).getString(0);
    GgufTensor stored = byName.get(name);
    if (stored == null || !AccelNode.isOfShape(tensor, stored)) {
      return null;
    }
    FileMatrix matrix = FileMatrix.of(this, stored, FileMatrix.toF32(stored.type()));
    matrix.knownAs(tensor);
    return matrix;
  }

  /** Forgets all tensors, which nothing computes with any more, and unmaps the file. */
  @Override
  public void close() {
    FileMatrix.forget(this);
    file.close();
  }
}
