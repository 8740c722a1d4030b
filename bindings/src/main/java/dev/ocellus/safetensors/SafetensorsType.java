package dev.ocellus.safetensors;

import org.jspecify.annotations.Nullable;

/** Element types of safetensors that are read; the names are those in the file. */
public enum SafetensorsType {
  F64(8),
  F32(4),
  F16(2),
  BF16(2),
  F8_E4M3(1),
  F8_E5M2(1),
  F8_E8M0(1),
  I64(8),
  I32(4),
  I16(2),
  I8(1),
  U64(8),
  U32(4),
  U16(2),
  U8(1),
  BOOL(1);

  private final int bytes;

  SafetensorsType(int bytes) {
    this.bytes = bytes;
  }

  /** Bytes of one element. */
  public int bytes() {
    return bytes;
  }

  static @Nullable SafetensorsType named(String name) {
    for (SafetensorsType t : values()) {
      if (t.name().equals(name)) {
        return t;
      }
    }
    return null;
  }
}
