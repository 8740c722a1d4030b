package dev.ocellus.gguf;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The types that a GGUF metadata value can have, with their numbers in the file. */
public enum MetadataType {
  U8(0, "u8", 1),
  I8(1, "i8", 1),
  U16(2, "u16", 2),
  I16(3, "i16", 2),
  U32(4, "u32", 4),
  I32(5, "i32", 4),
  F32(6, "f32", 4),
  BOOL(7, "bool", 1),
  STRING(8, "str", 0),
  ARRAY(9, "arr", 0),
  U64(10, "u64", 8),
  I64(11, "i64", 8),
  F64(12, "f64", 8);

  private static final MetadataType[] BY_ID = values();

  private final int id;
  private final String shortName;
  private final int byteSize;

  MetadataType(int id, String shortName, int byteSize) {
    this.id = id;
    this.shortName = shortName;
    this.byteSize = byteSize;
  }

  /** The type with this number, or empty. */
  public static Optional<MetadataType> ofId(int id) {
    return Optional.ofNullable(ofIdOrNull(id));
  }

  static @Nullable MetadataType ofIdOrNull(int id) {
    return id < 0 || id >= BY_ID.length ? null : BY_ID[id];
  }

  /** The number in the file. */
  public int id() {
    return id;
  }

  /** The name as ggml prints it, such as {@code u32} or {@code str}. */
  public String shortName() {
    return shortName;
  }

  /** Bytes of one value, or 0 for strings and arrays, whose size varies. */
  public int byteSize() {
    return byteSize;
  }

  /** Whether this is one of the eight integer types. */
  public boolean isInteger() {
    return switch (this) {
      case U8, I8, U16, I16, U32, I32, U64, I64 -> true;
      case F32, F64, BOOL, STRING, ARRAY -> false;
    };
  }

  /** Whether this is f32 or f64. */
  public boolean isFloat() {
    return this == F32 || this == F64;
  }
}
