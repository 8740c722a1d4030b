package dev.ocellus.pickle;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** The bytes of a pickle, read one after the other and never beyond their end. */
final class PickleInput {
  private static final ValueLayout.OfByte I8 = ValueLayout.JAVA_BYTE;
  private static final ValueLayout.OfInt I32 =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong I64 =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfDouble F64 =
      ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

  /** Names of modules and classes, and numbers in digits, are much shorter. */
  private static final int MAX_LINE = 1024;

  /** A tensor of a state dict takes about 50. */
  private static final int MAX_WORK = 1 << 22;

  private static final int BYTES_PER_WORK = 8;

  private final Path file;
  private final MemorySegment bytes;
  private long position;
  private long work;

  PickleInput(Path file, MemorySegment bytes, long position) {
    this.file = file;
    this.bytes = bytes;
    this.position = position;
  }

  Path file() {
    return file;
  }

  /** Bytes read so far. */
  long position() {
    return position;
  }

  /** Bytes that are left. */
  long remaining() {
    return bytes.byteSize() - position;
  }

  int u8() {
    return bytes.get(I8, advance(1)) & 0xff;
  }

  int u16() {
    return u8() | u8() << 8;
  }

  int i32() {
    return bytes.get(I32, advance(4));
  }

  /** A length in four bytes. */
  long u32() {
    return i32() & 0xffff_ffffL;
  }

  long i64() {
    return bytes.get(I64, advance(8));
  }

  /** Floats are big-endian in pickles. */
  double f64() {
    return bytes.get(F64, advance(8));
  }

  /** As many bytes as a length in the file says. */
  byte[] bytes(long n) {
    long at = advance(n);
    spendBytes(n);
    return bytes.asSlice(at, n).toArray(I8);
  }

  String utf8(long n) {
    return new String(bytes(n), StandardCharsets.UTF_8);
  }

  /** Text up to a line end, which is read too. */
  String line() {
    StringBuilder out = new StringBuilder();
    for (int c = u8(); c != '\n'; c = u8()) {
      if (out.length() == MAX_LINE) {
        throw bad("a line", "at most " + MAX_LINE + " characters", "more");
      }
      out.append((char) c);
    }
    return out.toString();
  }

  /** Passes over bytes. */
  void skip(long n) {
    advance(n);
  }

  private long advance(long n) {
    long at = position;
    if (n < 0 || n > remaining()) {
      throw bad(
          "data",
          Long.toUnsignedString(n) + " more bytes",
          remaining() + " at the end of the file");
    }
    position += n;
    return at;
  }

  /**
   * Counts what a pickle takes of time and memory: a short one could ask for any amount of both.
   *
   * @param amount instructions, or values that are copied
   */
  void spend(long amount) {
    work += amount;
    if (work > MAX_WORK) {
      throw bad("length", "the instructions of a state dict", "more than " + MAX_WORK);
    }
  }

  /** Bytes that are copied. */
  void spendBytes(long n) {
    spend(n / BYTES_PER_WORK);
  }

  /** An error at this place. */
  PickleFormatException bad(String what, String expected, String found) {
    return new PickleFormatException(
        file, "pickle at byte %d: %s".formatted(position, what), expected, found);
  }
}
