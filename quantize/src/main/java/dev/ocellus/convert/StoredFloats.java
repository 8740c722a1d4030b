package dev.ocellus.convert;

import dev.ocellus.gguf.TensorType;
import dev.ocellus.io.Memory;
import dev.ocellus.safetensors.SafetensorsType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** Floats of a checkpoint that go into a GGUF file with the bits that they have. */
final class StoredFloats {
  private static final ValueLayout.OfInt I32 =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort I16 =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private StoredFloats() {}

  /** Whether both are the same floats. */
  static boolean isSame(SafetensorsType stored, TensorType written) {
    return switch (stored) {
      case F32 -> written == TensorType.F32;
      case F16 -> written == TensorType.F16;
      case BF16 -> written == TensorType.BF16;
      default -> false;
    };
  }

  /** Whether none of them is NaN or infinite: those have all bits of the exponent set. */
  static boolean areFinite(Memory floats, SafetensorsType type) {
    MemorySegment s = floats.segment();
    return switch (type) {
      case F32 -> {
        int largest = 0;
        for (long at = 0; at < s.byteSize(); at += 4) {
          largest = Math.max(largest, s.get(I32, at) & 0x7fff_ffff);
        }
        yield largest < 0x7f80_0000;
      }
      case F16 -> largestMagnitude(s) < 0x7c00;
      case BF16 -> largestMagnitude(s) < 0x7f80;
      default ->
          throw new IllegalArgumentException("no floats that are written as they are: " + type);
    };
  }

  private static int largestMagnitude(MemorySegment halves) {
    int largest = 0;
    for (long at = 0; at < halves.byteSize(); at += 2) {
      largest = Math.max(largest, halves.get(I16, at) & 0x7fff);
    }
    return largest;
  }
}
