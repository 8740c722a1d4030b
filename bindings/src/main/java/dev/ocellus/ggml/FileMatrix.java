package dev.ocellus.ggml;

import dev.ocellus.accel.RowConversion;
import dev.ocellus.gguf.GgufTensor;
import dev.ocellus.gguf.TensorType;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * A matrix as it lies in its file, which an accelerator multiplies with in BF16 (docs/decisions
 * 0018, 0024). After each product its pages are given back: they stay in the system's cache of the
 * file, which other memory may displace, so the process never holds more than the matrix at hand.
 *
 * <p>Products know it by the address of ggml's tensor.
 *
 * @param owner who {@link #forget forgets} it
 * @param address of its first row
 * @param rowBytes bytes from row to row
 * @param bytes of all rows
 * @param toF32 widens rows; null for BF16, which is multiplied as it lies
 */
record FileMatrix(
    Object owner, long address, long rowBytes, long bytes, @Nullable RowConversion toF32) {
  private static final Map<Long, FileMatrix> KNOWN = new ConcurrentHashMap<>();
  private static final Map<TensorType, RowConversion> TO_F32 = new ConcurrentHashMap<>();

  static FileMatrix of(Object owner, GgufTensor stored, @Nullable RowConversion toF32) {
    return new FileMatrix(
        owner,
        stored.data().segment().address(),
        stored.type().rowBytes(stored.dim(0)),
        stored.byteSize(),
        toF32);
  }

  /** What is known of a tensor; null for nothing. */
  static @Nullable FileMatrix find(long tensor) {
    return KNOWN.get(tensor);
  }

  /** Lets products with a tensor find this. */
  void knownAs(long tensor) {
    KNOWN.put(tensor, this);
  }

  /** Forgets all of an owner, with whose tensors nothing computes any more. */
  static void forget(Object owner) {
    KNOWN.values().removeIf(matrix -> matrix.owner() == owner);
  }

  /** Gives the pages back. */
  void release() {
    FilePages.release(address, bytes);
  }

  /** What widens rows of a quantized type; made when it is first needed. */
  static RowConversion toF32(TensorType type) {
    return TO_F32.computeIfAbsent(type, t -> RowConversion.of(RowCodec.toFloat(t)));
  }
}
