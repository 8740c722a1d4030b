package dev.ocellus.gguf;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An array value, kept in its file encoding and decoded when asked. A vocabulary of 150 000 tokens
 * therefore costs nothing until someone reads it.
 *
 * <p>Random access to strings builds an index on first use. Safe for use by several threads.
 */
public final class GgufArray implements GgufValue {
  /** Most elements that the methods returning a whole array or list decode at once. */
  public static final int MAX_BULK_ELEMENTS = 1 << 24;

  private static final int DISPLAYED = 8;

  private final MetadataType elementType;
  private final int length;
  private final MemorySegment data;
  private volatile long @Nullable [] index;

  /**
   * @param data the encoded elements, without element type and count; already validated
   */
  GgufArray(MetadataType elementType, int length, MemorySegment data) {
    this.elementType = elementType;
    this.length = length;
    this.data = data;
  }

  /** An array of strings, for {@link GgufWriter}. */
  public static GgufArray ofStrings(List<String> values) {
    return ofBytes(values.stream().map(v -> v.getBytes(StandardCharsets.UTF_8)).toList());
  }

  /** An array of strings given as bytes, for tokens that are not valid UTF-8. */
  public static GgufArray ofBytes(List<byte[]> values) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (byte[] v : values) {
      out.writeBytes(little(8).putLong(v.length).array());
      out.writeBytes(v);
    }
    return new GgufArray(
        MetadataType.STRING, values.size(), MemorySegment.ofArray(out.toByteArray()));
  }

  /** An array of f32. */
  public static GgufArray ofFloats(float... values) {
    ByteBuffer b = little(Math.multiplyExact(values.length, 4));
    b.asFloatBuffer().put(values);
    return new GgufArray(MetadataType.F32, values.length, MemorySegment.ofBuffer(b.clear()));
  }

  /** An array of f64. */
  public static GgufArray ofDoubles(double... values) {
    ByteBuffer b = little(Math.multiplyExact(values.length, 8));
    b.asDoubleBuffer().put(values);
    return new GgufArray(MetadataType.F64, values.length, MemorySegment.ofBuffer(b.clear()));
  }

  /** An array of booleans. */
  public static GgufArray ofBooleans(boolean... values) {
    byte[] b = new byte[values.length];
    for (int i = 0; i < b.length; i++) {
      b[i] = (byte) (values[i] ? 1 : 0);
    }
    return new GgufArray(MetadataType.BOOL, values.length, MemorySegment.ofArray(b));
  }

  /**
   * An array of integers.
   *
   * @param type one of the integer types
   * @throws IllegalArgumentException if a value does not fit in the type
   */
  public static GgufArray ofIntegers(MetadataType type, long... values) {
    if (!type.isInteger()) {
      throw new IllegalArgumentException(type.shortName() + " is not an integer type");
    }
    ByteBuffer b = little(Math.multiplyExact(values.length, type.byteSize()));
    for (long v : values) {
      Encoding.putInteger(b, new Int(type, v));
    }
    return new GgufArray(type, values.length, MemorySegment.ofBuffer(b.clear()));
  }

  private static ByteBuffer little(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }

  @Override
  public MetadataType type() {
    return MetadataType.ARRAY;
  }

  /** Type of the elements. */
  public MetadataType elementType() {
    return elementType;
  }

  /** Number of elements. */
  public int length() {
    return length;
  }

  /** The string at {@code i}, malformed UTF-8 replaced by U+FFFD. */
  public String stringAt(int i) {
    return new String(bytesAt(i), StandardCharsets.UTF_8);
  }

  /** The bytes of the string at {@code i}. */
  public byte[] bytesAt(int i) {
    require(elementType == MetadataType.STRING, "strings");
    long at = index()[checkIndex(i)];
    return bytes(at);
  }

  /** The integer at {@code i}; a u64 as its 64 bits. */
  public long longAt(int i) {
    require(elementType.isInteger(), "integers");
    return Encoding.integer(data, (long) checkIndex(i) * elementType.byteSize(), elementType);
  }

  /** The f32 or f64 at {@code i}. */
  public double doubleAt(int i) {
    require(elementType.isFloat(), "floating point numbers");
    return Encoding.real(data, (long) checkIndex(i) * elementType.byteSize(), elementType);
  }

  /** The boolean at {@code i}. */
  public boolean booleanAt(int i) {
    require(elementType == MetadataType.BOOL, "booleans");
    return data.get(ValueLayout.JAVA_BYTE, checkIndex(i)) != 0;
  }

  /** All strings, decoded now. */
  public List<String> strings() {
    return firstStrings(length);
  }

  /** The first {@code count} strings, decoded now. */
  public List<String> firstStrings(int count) {
    return firstBytes(count).stream().map(b -> new String(b, StandardCharsets.UTF_8)).toList();
  }

  /** The bytes of all strings, copied now. */
  public List<byte[]> stringBytes() {
    return firstBytes(length);
  }

  private List<byte[]> firstBytes(int count) {
    require(elementType == MetadataType.STRING, "strings");
    checkCount(count);
    List<byte[]> out = new ArrayList<>(count);
    long at = 0;
    for (int i = 0; i < count; i++) {
      byte[] b = bytes(at);
      out.add(b);
      at += 8 + b.length;
    }
    return out;
  }

  /** All integers. */
  public long[] longs() {
    require(elementType.isInteger(), "integers");
    requireBulk();
    long[] out = new long[length];
    for (int i = 0; i < length; i++) {
      out[i] = longAt(i);
    }
    return out;
  }

  /** All floating point numbers as float; an f64 is rounded. */
  public float[] floats() {
    require(elementType.isFloat(), "floating point numbers");
    requireBulk();
    float[] out = new float[length];
    for (int i = 0; i < length; i++) {
      out[i] = (float) doubleAt(i);
    }
    return out;
  }

  /** All booleans. */
  public boolean[] booleans() {
    require(elementType == MetadataType.BOOL, "booleans");
    requireBulk();
    boolean[] out = new boolean[length];
    for (int i = 0; i < length; i++) {
      out[i] = booleanAt(i);
    }
    return out;
  }

  /** The inner arrays of an array of arrays. */
  public List<GgufArray> arrays() {
    return firstArrays(length);
  }

  /** The first {@code count} inner arrays of an array of arrays. */
  public List<GgufArray> firstArrays(int count) {
    require(elementType == MetadataType.ARRAY, "arrays");
    checkCount(count);
    List<GgufArray> out = new ArrayList<>(count);
    long at = 0;
    for (int i = 0; i < count; i++) {
      MetadataType inner = Encoding.typeAt(data, at);
      int n = (int) data.get(Encoding.U64, at + 4);
      long size = Encoding.arrayBytes(data, at + 12, inner, n);
      out.add(new GgufArray(inner, n, data.asSlice(at + 12, size)));
      at += 12 + size;
    }
    return out;
  }

  /** The element at {@code i} as a person would read it. */
  public String displayAt(int i) {
    return switch (elementType) {
      case STRING -> stringAt(i);
      case BOOL -> Boolean.toString(booleanAt(i));
      case F32 -> Float.toString((float) doubleAt(i));
      case F64 -> Double.toString(doubleAt(i));
      case U64 -> Long.toUnsignedString(longAt(i));
      case U8, I8, U16, I16, U32, I32, I64 -> Long.toString(longAt(i));
      case ARRAY -> arrays().get(checkIndex(i)).display();
    };
  }

  @Override
  public String display() {
    StringBuilder sb = new StringBuilder("[");
    int n = Math.min(length, DISPLAYED);
    // Strings and arrays are walked in order: random access would index the whole vocabulary.
    List<?> varying =
        switch (elementType) {
          case STRING -> firstStrings(n);
          case ARRAY -> firstArrays(n);
          default -> List.of();
        };
    for (int i = 0; i < n; i++) {
      sb.append(i == 0 ? "" : ", ").append(varying.isEmpty() ? displayAt(i) : varying.get(i));
    }
    if (length > n) {
      sb.append(", … ").append(length - n).append(" more");
    }
    return sb.append(']').toString();
  }

  MemorySegment segment() {
    return data;
  }

  private byte[] bytes(long at) {
    long n = data.get(Encoding.U64, at);
    return data.asSlice(at + 8, n).toArray(ValueLayout.JAVA_BYTE);
  }

  private long[] index() {
    long[] known = index;
    if (known == null) {
      requireBulk();
      known = new long[length];
      long at = 0;
      for (int i = 0; i < length; i++) {
        known[i] = at;
        at += 8 + data.get(Encoding.U64, at);
      }
      index = known;
    }
    return known;
  }

  private int checkIndex(int i) {
    if (i < 0 || i >= length) {
      throw new IndexOutOfBoundsException(
          "Element %d of a metadata array of %d elements".formatted(i, length));
    }
    return i;
  }

  private void require(boolean ok, String wanted) {
    if (!ok) {
      throw new IllegalStateException(
          "A metadata array of %s was read as %s".formatted(elementType.shortName(), wanted));
    }
  }

  private void checkCount(int count) {
    if (count < 0 || count > length) {
      throw new IndexOutOfBoundsException(
          "%d elements of a metadata array of %d".formatted(count, length));
    }
    if (count > MAX_BULK_ELEMENTS) {
      requireBulk();
    }
  }

  private void requireBulk() {
    if (length > MAX_BULK_ELEMENTS) {
      throw new IllegalStateException(
          "A metadata array of %d elements is too long to decode at once (limit %d)"
              .formatted(length, MAX_BULK_ELEMENTS));
    }
  }

  @Override
  public boolean equals(@Nullable Object o) {
    return o instanceof GgufArray a
        && elementType == a.elementType
        && length == a.length
        && data.mismatch(a.data) == -1;
  }

  @Override
  public int hashCode() {
    // Only a prefix: hashing a whole vocabulary would defeat the laziness.
    long n = Math.min(data.byteSize(), 64);
    return 31 * length + Arrays.hashCode(data.asSlice(0, n).toArray(ValueLayout.JAVA_BYTE));
  }

  @Override
  public String toString() {
    return display();
  }
}
