package dev.ocellus.ggml;

import static dev.ocellus.ggml.Checks.require;

import dev.ocellus.compute.GgmlException;
import dev.ocellus.ffi.ggml_h;
import dev.ocellus.ffi.ggml_type_traits;
import dev.ocellus.gguf.TensorType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;
import java.util.EnumSet;
import java.util.Set;

/**
 * Rows of weights between floats and the block formats of ggml, with the code of ggml's base
 * library that llama-quantize calls: the same library gives the same bytes.
 *
 * <p>Every row is coded on its own, so rows may be given in any portions and by several threads.
 * All segments must be native memory.
 */
public final class RowCodec {
  /** What {@code ggml_quantize_chunk} knows how to write. */
  private static final Set<TensorType> WRITABLE =
      EnumSet.complementOf(
          EnumSet.of(
              TensorType.Q8_1,
              TensorType.Q8_K,
              TensorType.I8,
              TensorType.I16,
              TensorType.I32,
              TensorType.I64,
              TensorType.F64));

  /** Types whose quantizers look for points of a grid, and assert that they find one. */
  private static final Set<TensorType> ON_A_GRID =
      EnumSet.of(
          TensorType.IQ1_S,
          TensorType.IQ1_M,
          TensorType.IQ2_XXS,
          TensorType.IQ2_XS,
          TensorType.IQ2_S,
          TensorType.IQ3_XXS,
          TensorType.IQ3_S);

  private static final int F16_CHUNK = 4096;

  private RowCodec() {}

  /** Whether weights can be stored in this type. */
  public static boolean canEncode(TensorType type) {
    return WRITABLE.contains(type);
  }

  /** Whether ggml can turn this type into floats. */
  public static boolean canDecode(TensorType type) {
    return type != TensorType.Q8_1 && canEncode(type);
  }

  /** Whether ggml cannot write this type without the importance of every column. */
  public static boolean needsImportance(TensorType type) {
    Ggml.initialize();
    return ggml_h.ggml_quantize_requires_imatrix(type.id());
  }

  /**
   * Writes rows in a type.
   *
   * @param floats {@code [nPerRow, nRows]} F32, innermost first
   * @param blocks room for {@code nRows} rows of {@code type}
   * @param importance {@code [nPerRow]} F32, the weight of every column's squared error; {@link
   *     MemorySegment#NULL} for none
   * @throws GgmlException if sizes do not fit, the type cannot be written, or numbers are so large
   *     or importance so odd that ggml's search for a point of its grid finds none
   */
  public static void encode(
      TensorType type,
      MemorySegment floats,
      MemorySegment blocks,
      long nRows,
      long nPerRow,
      MemorySegment importance) {
    Ggml.initialize();
    require(canEncode(type), () -> "Weights cannot be stored as " + type.ggmlName());
    require(
        nPerRow % type.blockSize() == 0
            && floats.byteSize() >= 4 * nRows * nPerRow
            && blocks.byteSize() >= nRows * type.rowBytes(nPerRow),
        () ->
            "%d rows of %d do not fit in blocks of %s or in the memory given"
                .formatted(nRows, nPerRow, type.ggmlName()));
    require(
        importance.address() == 0 ? !needsImportance(type) : importance.byteSize() >= 4 * nPerRow,
        () -> "%s needs the importance of %d columns".formatted(type.ggmlName(), nPerRow));
    if (ON_A_GRID.contains(type)) {
      encodeGuarded(type, floats, blocks, nRows, nPerRow, importance);
    } else {
      ggml_h.ggml_quantize_chunk(type.id(), floats, blocks, 0, nRows, nPerRow, importance);
    }
  }

  /**
   * On a thread of the guard, which may use memory that is confined to this one: this one waits.
   */
  private static void encodeGuarded(
      TensorType type,
      MemorySegment floats,
      MemorySegment blocks,
      long nRows,
      long nPerRow,
      MemorySegment importance) {
    MemorySegment from = MemorySegment.ofAddress(floats.address());
    MemorySegment to = MemorySegment.ofAddress(blocks.address());
    MemorySegment weights = MemorySegment.ofAddress(importance.address());
    try {
      AbortGuard.run(
          () -> ggml_h.ggml_quantize_chunk(type.id(), from, to, 0, nRows, nPerRow, weights));
    } finally {
      Reference.reachabilityFence(floats);
      Reference.reachabilityFence(blocks);
      Reference.reachabilityFence(importance);
    }
  }

  /**
   * Turns blocks into floats.
   *
   * @param n elements, in whole blocks
   * @throws GgmlException if sizes do not fit, or the type has no floats
   */
  public static void decode(TensorType type, MemorySegment blocks, MemorySegment floats, long n) {
    Ggml.initialize();
    require(canDecode(type), () -> "%s holds no weights".formatted(type.ggmlName()));
    require(
        n % type.blockSize() == 0
            && blocks.byteSize() >= type.rowBytes(n)
            && floats.byteSize() >= 4 * n,
        () -> "%d elements of %s do not fit in the memory given".formatted(n, type.ggmlName()));
    if (type == TensorType.F32) {
      MemorySegment.copy(blocks, 0, floats, 0, 4 * n);
      return;
    }
    if (type == TensorType.F16) {
      decodeF16(blocks, floats, n);
      return;
    }
    ggml_type_traits.to_float.invoke(toFloat(type), blocks, floats, n);
  }

  /** ggml's function that turns blocks of a type into floats. */
  static MemorySegment toFloat(TensorType type) {
    return ggml_type_traits.to_float(ggml_h.ggml_get_type_traits(type.id()));
  }

  /**
   * ggml's base library is compiled for any x86-64 and has no instruction for this; the JVM has.
   */
  private static void decodeF16(MemorySegment halves, MemorySegment floats, long n) {
    short[] in = new short[F16_CHUNK];
    float[] out = new float[F16_CHUNK];
    for (long at = 0; at < n; at += F16_CHUNK) {
      int count = (int) Math.min(F16_CHUNK, n - at);
      MemorySegment.copy(halves, ValueLayout.JAVA_SHORT_UNALIGNED, Short.BYTES * at, in, 0, count);
      for (int i = 0; i < count; i++) {
        out[i] = Float.float16ToFloat(in[i]);
      }
      MemorySegment.copy(out, 0, floats, ValueLayout.JAVA_FLOAT_UNALIGNED, Float.BYTES * at, count);
    }
  }

  /** Whether data of a type holds no value or scale that is infinite or not a number. */
  public static boolean isValid(TensorType type, MemorySegment data) {
    Ggml.initialize();
    return type == TensorType.F16
        ? isFiniteF16(data)
        : ggml_h.ggml_validate_row_data(type.id(), data, data.byteSize());
  }

  private static boolean isFiniteF16(MemorySegment halves) {
    short[] in = new short[F16_CHUNK];
    long n = halves.byteSize() / Short.BYTES;
    int found = 0;
    for (long at = 0; at < n; at += F16_CHUNK) {
      int count = (int) Math.min(F16_CHUNK, n - at);
      MemorySegment.copy(halves, ValueLayout.JAVA_SHORT_UNALIGNED, Short.BYTES * at, in, 0, count);
      for (int i = 0; i < count; i++) { // an exponent of ones overflows into the sign
        found |= (in[i] & 0x7c00) + 0x400;
      }
    }
    return (found & 0x8000) == 0;
  }
}
