package dev.ocellus.gguf;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A string value. The file stores bytes that are meant to be UTF-8; {@link #value()} replaces what
 * is not by U+FFFD, {@link #bytes()} gives them as they are.
 */
public final class GgufString implements GgufValue {
  private final MemorySegment bytes;

  /** The bytes only, without the length that precedes them in the file. */
  GgufString(MemorySegment bytes) {
    this.bytes = bytes;
  }

  /** A value of its own, for {@link GgufWriter}. */
  public static GgufString of(String value) {
    return of(value.getBytes(StandardCharsets.UTF_8));
  }

  /** A value of its own, for {@link GgufWriter}; the array is copied. */
  public static GgufString of(byte[] utf8) {
    return new GgufString(MemorySegment.ofArray(utf8.clone()));
  }

  @Override
  public MetadataType type() {
    return MetadataType.STRING;
  }

  /** Length in bytes. */
  public int byteLength() {
    return (int) bytes.byteSize();
  }

  /** The text; every malformed byte sequence becomes U+FFFD. */
  public String value() {
    return new String(bytes(), StandardCharsets.UTF_8);
  }

  /** The text of at most the first {@code maxBytes} bytes; what they cut through is replaced. */
  public String start(int maxBytes) {
    MemorySegment s = bytes.asSlice(0, Math.min(bytes.byteSize(), maxBytes));
    return new String(s.toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
  }

  /** A copy of the bytes. */
  public byte[] bytes() {
    return bytes.toArray(ValueLayout.JAVA_BYTE);
  }

  @Override
  public String display() {
    return value();
  }

  MemorySegment segment() {
    return bytes;
  }

  @Override
  public boolean equals(@Nullable Object o) {
    return o instanceof GgufString s && bytes.mismatch(s.bytes) == -1;
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bytes());
  }

  @Override
  public String toString() {
    return value();
  }
}
