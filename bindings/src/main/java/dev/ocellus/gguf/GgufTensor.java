package dev.ocellus.gguf;

import dev.ocellus.io.Memory;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;

/**
 * A tensor in a GGUF file.
 *
 * @param name unique within the model
 * @param shape one to four sizes in ggml order, innermost first
 * @param type element type
 * @param file the file that holds the data; of a split model one of several
 * @param offset first byte of the data, from the start of that file
 * @param byteSize bytes of the data
 * @param data the mapped data, read-only; usable while the {@link GgufFile} is open
 */
public record GgufTensor(
    String name,
    List<Long> shape,
    TensorType type,
    Path file,
    long offset,
    long byteSize,
    Memory data) {

  /** Number of dimensions, 1 to 4. */
  public int nDims() {
    return shape.size();
  }

  /** Size of dimension {@code i}; 1 beyond the last one, as in ggml. */
  public long dim(int i) {
    return i < shape.size() ? shape.get(i) : 1;
  }

  /** Product of the shape. */
  public long nElements() {
    return shape.stream().reduce(1L, (a, b) -> a * b); // the parser has excluded overflow
  }

  /**
   * A copy of the elements of an F32, F16 or BF16 tensor on the heap, widened exactly. Meant for
   * small constants; weights are better used where they lie.
   *
   * @throws IllegalStateException for other types, or above 2^28 elements
   */
  public float[] floats() {
    long n = nElements();
    if (n > 1 << 28) {
      throw new IllegalStateException(
          "%s has %d elements, too many for a heap array".formatted(name, n));
    }
    float[] out = new float[(int) n];
    MemorySegment bytes = data.segment();
    switch (type) {
      case F32 -> {
        for (int i = 0; i < out.length; i++) {
          out[i] = Float.intBitsToFloat(bytes.get(Encoding.U32, 4L * i));
        }
      }
      case F16 -> {
        for (int i = 0; i < out.length; i++) {
          out[i] = Float.float16ToFloat(bytes.get(Encoding.U16, 2L * i));
        }
      }
      case BF16 -> {
        for (int i = 0; i < out.length; i++) {
          out[i] = Float.intBitsToFloat(bytes.get(Encoding.U16, 2L * i) << 16);
        }
      }
      default ->
          throw new IllegalStateException(
              "%s is of type %s; only f32, f16 and bf16 widen without a kernel"
                  .formatted(name, type.ggmlName()));
    }
    return out;
  }
}
