package dev.ocellus.ggml;

import dev.ocellus.compute.MatrixPrecision;
import dev.ocellus.ffi.ggml_h;
import dev.ocellus.gguf.GgufTensor;
import dev.ocellus.gguf.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** The types that matrices of floats are converted to, and the way there. */
final class MatrixTypes {
  private MatrixTypes() {}

  /** The type to hold a matrix in; the stored one for what is quantized already. */
  static TensorType of(GgufTensor matrix, MatrixPrecision precision, Device device) {
    return switch (precision) {
      case EXACT, STORED -> matrix.type();
      case BF16 -> orStored(matrix, TensorType.BF16);
      case Q8_0 -> orStored(matrix, TensorType.Q8_0);
      case FAST ->
          orStored(matrix, roundsToBf16(precision, device) ? TensorType.BF16 : TensorType.Q8_0);
    };
  }

  /** Whether matrices of floats are held in BF16, whatever the file has. */
  static boolean roundsToBf16(MatrixPrecision precision, Device device) {
    return precision == MatrixPrecision.BF16
        || precision == MatrixPrecision.FAST && device.features().contains("AVX512_BF16");
  }

  private static TensorType orStored(GgufTensor matrix, TensorType type) {
    boolean floats =
        switch (matrix.type()) {
          case F32, F16, BF16 -> true;
          default -> false;
        };
    boolean fits = matrix.dim(0) % type.blockSize() == 0;
    return floats && fits ? type : matrix.type();
  }

  /** F32 rows in another type. */
  static MemorySegment convert(
      MemorySegment floats, GgufTensor matrix, TensorType type, Arena arena) {
    MemorySegment converted = arena.allocate(type.bytes(matrix.dim(0), matrix.dim(1)), 64);
    ggml_h.ggml_quantize_chunk(
        type.id(), floats, converted, 0, matrix.dim(1), matrix.dim(0), MemorySegment.NULL);
    return converted;
  }
}
