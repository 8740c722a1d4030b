package dev.ocellus.gguf;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Little-endian numbers in a segment; nothing here validates, the parser already has. */
final class Encoding {
  static final ValueLayout.OfLong U64 =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfInt U32 =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfShort U16 =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private Encoding() {}

  static MetadataType typeAt(MemorySegment s, long at) {
    return MetadataType.ofId(s.get(U32, at)).orElseThrow();
  }

  /** The integer at {@code at}, sign- or zero-extended as its type says. */
  static long integer(MemorySegment s, long at, MetadataType type) {
    return switch (type) {
      case U8 -> s.get(ValueLayout.JAVA_BYTE, at) & 0xffL;
      case I8 -> s.get(ValueLayout.JAVA_BYTE, at);
      case U16 -> s.get(U16, at) & 0xffffL;
      case I16 -> s.get(U16, at);
      case U32 -> s.get(U32, at) & 0xffff_ffffL;
      case I32 -> s.get(U32, at);
      case U64, I64 -> s.get(U64, at);
      case F32, F64, BOOL, STRING, ARRAY -> throw new IllegalArgumentException(type.shortName());
    };
  }

  /** The f32 or f64 at {@code at}. */
  static double real(MemorySegment s, long at, MetadataType type) {
    return type == MetadataType.F32
        ? Float.intBitsToFloat(s.get(U32, at))
        : Double.longBitsToDouble(s.get(U64, at));
  }

  /** Bytes that {@code n} elements take from {@code at} on. */
  static long arrayBytes(MemorySegment s, long at, MetadataType element, int n) {
    if (element.byteSize() > 0) {
      return (long) n * element.byteSize();
    }
    long p = at;
    for (int i = 0; i < n; i++) {
      if (element == MetadataType.STRING) {
        p += 8 + s.get(U64, p);
      } else {
        int inner = (int) s.get(U64, p + 4);
        p += 12 + arrayBytes(s, p + 12, typeAt(s, p), inner);
      }
    }
    return p - at;
  }

  /** Appends an integer in the width of its type; the buffer must be little-endian. */
  static void putInteger(ByteBuffer b, GgufValue.Int v) {
    switch (v.type().byteSize()) {
      case 1 -> b.put((byte) v.value());
      case 2 -> b.putShort((short) v.value());
      case 4 -> b.putInt((int) v.value());
      default -> b.putLong(v.value());
    }
  }
}
