package dev.ocellus.safetensors;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** Turns elements of every type that checkpoints store into floats. */
public final class ElementDecoder {
  private static final ValueLayout.OfLong I64 =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt I32 =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfFloat F32 =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort I16 =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfByte I8 = ValueLayout.JAVA_BYTE;

  private static final float[] E4M3 = table(4, 3, 7);
  private static final float[] E5M2 = table(5, 2, 15);
  private static final float[] E8M0 = powers();

  private ElementDecoder() {}

  /** Reads {@code count} elements, little-endian, that start at byte {@code at}. */
  public static void read(
      SafetensorsType type, MemorySegment s, long at, float[] out, int offset, int count) {
    switch (type) {
      case F32 -> MemorySegment.copy(s, F32, at, out, offset, count);
      case F16 -> {
        for (int i = 0; i < count; i++) {
          out[offset + i] = Float.float16ToFloat(s.get(I16, at + 2L * i));
        }
      }
      case BF16 -> {
        for (int i = 0; i < count; i++) {
          out[offset + i] = Float.intBitsToFloat(s.get(I16, at + 2L * i) << 16);
        }
      }
      case F64 -> {
        for (int i = 0; i < count; i++) {
          out[offset + i] = (float) Double.longBitsToDouble(s.get(I64, at + 8L * i));
        }
      }
      case F8_E4M3 -> lookUp(E4M3, s, at, out, offset, count);
      case F8_E5M2 -> lookUp(E5M2, s, at, out, offset, count);
      case F8_E8M0 -> lookUp(E8M0, s, at, out, offset, count);
      default -> integers(type, s, at, out, offset, count);
    }
  }

  private static void lookUp(
      float[] table, MemorySegment s, long at, float[] out, int offset, int count) {
    for (int i = 0; i < count; i++) {
      out[offset + i] = table[s.get(I8, at + i) & 0xff];
    }
  }

  private static void integers(
      SafetensorsType type, MemorySegment s, long at, float[] out, int offset, int count) {
    for (int i = 0; i < count; i++) {
      out[offset + i] =
          switch (type) {
            case I64 -> s.get(I64, at + 8L * i);
            case U64 -> {
              long v = s.get(I64, at + 8L * i);
              yield v >= 0 ? v : ((v >>> 1) | (v & 1)) * 2f; // the lost bit still decides rounding
            }
            case I32 -> s.get(I32, at + 4L * i);
            case U32 -> s.get(I32, at + 4L * i) & 0xffff_ffffL;
            case I16 -> s.get(I16, at + 2L * i);
            case U16 -> s.get(I16, at + 2L * i) & 0xffff;
            case I8 -> s.get(I8, at + i);
            case U8 -> s.get(I8, at + i) & 0xff;
            case BOOL -> s.get(I8, at + i) == 0 ? 0 : 1;
            default -> throw new AssertionError(type);
          };
    }
  }

  /**
   * All values of an 8-bit float (arXiv:2209.05433). E5M2 has the special values of IEEE 754; E4M3
   * has no infinity, and only the pattern of all ones is not a number.
   */
  private static float[] table(int exponentBits, int mantissaBits, int bias) {
    float[] out = new float[256];
    int ones = (1 << exponentBits) - 1;
    int steps = 1 << mantissaBits;
    for (int i = 0; i < 256; i++) {
      int exponent = (i >> mantissaBits) & ones;
      int mantissa = i & (steps - 1);
      float value;
      if (exponentBits == 4 && exponent == ones && mantissa == steps - 1) {
        value = Float.NaN;
      } else if (exponentBits == 5 && exponent == ones) {
        value = mantissa == 0 ? Float.POSITIVE_INFINITY : Float.NaN;
      } else if (exponent == 0) {
        value = Math.scalb((float) mantissa, 1 - bias - mantissaBits);
      } else {
        value = Math.scalb((float) (steps + mantissa), exponent - bias - mantissaBits);
      }
      out[i] = i < 128 ? value : -value;
    }
    return out;
  }

  private static float[] powers() {
    float[] out = new float[256];
    for (int i = 0; i < 255; i++) {
      out[i] = Math.scalb(1f, i - 127);
    }
    out[255] = Float.NaN;
    return out;
  }
}
