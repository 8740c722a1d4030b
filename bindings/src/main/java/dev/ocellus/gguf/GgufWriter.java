package dev.ocellus.gguf;

import dev.ocellus.io.AtomicFile;
import dev.ocellus.io.AtomicFileSet;
import dev.ocellus.io.Memory;
import java.io.IOException;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Builds a GGUF file of version 3. Metadata and tensors come out in the order in which they were
 * added. Data is asked for only when it is written, so a file may be larger than the memory.
 *
 * <p>Whatever {@link GgufFile} would refuse is refused here with an {@link
 * IllegalArgumentException}. Not for use by several threads at once.
 *
 * <pre>{@code
 * new GgufWriter()
 *     .string("general.architecture", "clip")
 *     .u32("clip.vision.block_count", 24)
 *     .tensor("v.post_ln.weight", weights, 1024)
 *     .write(path);
 * }</pre>
 */
public final class GgufWriter {
  private static final int VERSION = 3;

  private final Map<String, GgufValue> metadata = new LinkedHashMap<>();
  private final Map<String, Pending> tensors = new LinkedHashMap<>();
  private long keyBytes;

  private record Pending(
      String name, List<Long> shape, TensorType type, long bytes, TensorSource source) {}

  /** An empty file of the default alignment. */
  public GgufWriter() {}

  /**
   * Sets a value of any type, such as one taken from another file; replaces an earlier value of
   * that key in its place.
   */
  public GgufWriter put(String key, GgufValue value) {
    int length = identifier("metadata key", key, GgufParser.MAX_KEY_BYTES);
    if (key.equals(GgufParser.ALIGNMENT_KEY)) {
      requireAlignment(value);
    }
    if (!metadata.containsKey(key)) {
      keyBytes += length;
      require(
          metadata.size() < GgufParser.MAX_ENTRIES && keyBytes <= GgufParser.MAX_KEY_BYTES_TOTAL,
          "Too many metadata keys: at most %d of %d bytes in all",
          GgufParser.MAX_ENTRIES,
          GgufParser.MAX_KEY_BYTES_TOTAL);
    }
    metadata.put(key, value);
    return this;
  }

  /** Sets a string. */
  public GgufWriter string(String key, String value) {
    return put(key, GgufString.of(value));
  }

  /** Sets a u8, 0 to 255. */
  public GgufWriter u8(String key, int value) {
    return put(key, new GgufValue.Int(MetadataType.U8, value));
  }

  /** Sets an i8. */
  public GgufWriter i8(String key, int value) {
    return put(key, new GgufValue.Int(MetadataType.I8, value));
  }

  /** Sets a u16, 0 to 65535. */
  public GgufWriter u16(String key, int value) {
    return put(key, new GgufValue.Int(MetadataType.U16, value));
  }

  /** Sets an i16. */
  public GgufWriter i16(String key, int value) {
    return put(key, new GgufValue.Int(MetadataType.I16, value));
  }

  /** Sets a u32, 0 to 2^32 - 1: the usual type of counts and sizes. */
  public GgufWriter u32(String key, long value) {
    return put(key, new GgufValue.Int(MetadataType.U32, value));
  }

  /** Sets an i32. */
  public GgufWriter i32(String key, int value) {
    return put(key, new GgufValue.Int(MetadataType.I32, value));
  }

  /** Sets a u64, given as its 64 bits. */
  public GgufWriter u64(String key, long value) {
    return put(key, new GgufValue.Int(MetadataType.U64, value));
  }

  /** Sets an i64. */
  public GgufWriter i64(String key, long value) {
    return put(key, new GgufValue.Int(MetadataType.I64, value));
  }

  /** Sets an f32. */
  public GgufWriter f32(String key, float value) {
    return put(key, new GgufValue.Real(MetadataType.F32, value));
  }

  /** Sets an f64. */
  public GgufWriter f64(String key, double value) {
    return put(key, new GgufValue.Real(MetadataType.F64, value));
  }

  /** Sets a boolean. */
  public GgufWriter bool(String key, boolean value) {
    return put(key, new GgufValue.Bool(value));
  }

  /** Sets an array of strings. */
  public GgufWriter strings(String key, List<String> values) {
    return put(key, GgufArray.ofStrings(values));
  }

  /** Sets an array of f32. */
  public GgufWriter floats(String key, float... values) {
    return put(key, GgufArray.ofFloats(values));
  }

  /** Sets an array of i32. */
  public GgufWriter ints(String key, int... values) {
    return put(
        key,
        GgufArray.ofIntegers(MetadataType.I32, Arrays.stream(values).asLongStream().toArray()));
  }

  /** Sets all pairs of another file; it must stay open until the write. */
  public GgufWriter putAll(GgufMetadata other) {
    other.asMap().forEach(this::put);
    return this;
  }

  /** Removes a key; nothing happens if it is not there. */
  public GgufWriter remove(String key) {
    if (metadata.remove(key) != null) {
      keyBytes -= key.getBytes(StandardCharsets.UTF_8).length;
    }
    return this;
  }

  /** Sets {@code general.alignment}: a power of two, at least 8. The default is 32. */
  public GgufWriter alignment(int bytes) {
    return u32(GgufParser.ALIGNMENT_KEY, bytes);
  }

  /**
   * Adds a tensor whose data comes when it is written.
   *
   * @param shape one to four sizes in ggml order, innermost first
   */
  public GgufWriter tensor(String name, TensorType type, TensorSource source, long... shape) {
    tensors.put(name, checked(name, type, source, shape));
    return this;
  }

  private Pending checked(String name, TensorType type, TensorSource source, long... shape) {
    identifier("tensor name", name, GgufParser.MAX_NAME_BYTES);
    require(!tensors.containsKey(name), "A tensor named %s was added already", name);
    require(
        tensors.size() < GgufParser.MAX_ENTRIES, "More than %d tensors", GgufParser.MAX_ENTRIES);
    require(
        shape.length >= 1 && shape.length <= GgufParser.MAX_DIMS,
        "Tensor %s needs 1 to %d dimensions, but %d were given",
        name,
        GgufParser.MAX_DIMS,
        shape.length);
    for (long d : shape) {
      require(d >= 1, "Tensor %s has a dimension below 1: %s", name, Arrays.toString(shape));
    }
    long bytes;
    try {
      bytes = type.bytes(shape);
    } catch (ArithmeticException e) {
      bytes = Long.MAX_VALUE;
    }
    require(
        bytes <= GgufParser.MAX_TENSOR_BYTES,
        "Tensor %s is too large: %s of %s",
        name,
        Arrays.toString(shape),
        type.ggmlName());
    return new Pending(name, Arrays.stream(shape).boxed().toList(), type, bytes, source);
  }

  /**
   * Adds a tensor of any type; {@code data} holds its bytes and must stay valid until the write.
   *
   * @throws IllegalArgumentException if {@code data} does not have the size that type and shape say
   */
  public GgufWriter tensor(String name, TensorType type, Memory data, long... shape) {
    Pending t = checked(name, type, sink -> sink.write(data), shape);
    require(
        data.byteSize() == t.bytes(),
        "Tensor %s of type %s and shape %s takes %d bytes, but %d were given",
        name,
        type.ggmlName(),
        Arrays.toString(shape),
        t.bytes(),
        data.byteSize());
    tensors.put(name, t);
    return this;
  }

  /** Adds an F32 tensor; the array is not copied. */
  public GgufWriter tensor(String name, float[] data, long... shape) {
    return tensor(name, TensorType.F32, Memory.of(data), shape);
  }

  /** Adds a tensor of another file as it is; that file must stay open until the write. */
  public GgufWriter tensor(GgufTensor t) {
    long[] shape = t.shape().stream().mapToLong(Long::longValue).toArray();
    return tensor(t.name(), t.type(), t.data(), shape);
  }

  /**
   * Writes the file: into a temporary one beside it, flushed, then renamed. If anything fails, an
   * interrupt included, the temporary file is removed and an older file of that name stays.
   *
   * @throws IOException if it cannot be written
   * @throws IllegalStateException if a source gives more or fewer bytes than its tensor has
   */
  public void write(Path path) throws IOException {
    AtomicFile.write(path, this::writeTo);
  }

  /**
   * Writes the file as one of several that only make sense together.
   *
   * @throws IOException if it cannot be written
   * @throws IllegalStateException if a source gives more or fewer bytes than its tensor has
   */
  public void write(AtomicFileSet set, Path path) throws IOException {
    set.write(path, this::writeTo);
  }

  private void writeTo(WritableByteChannel channel) throws IOException {
    ChannelOutput out = new ChannelOutput(channel);
    int alignment = (int) alignment();
    out.bytes("GGUF".getBytes(StandardCharsets.US_ASCII));
    out.i32(VERSION);
    out.i64(tensors.size());
    out.i64(metadata.size());
    for (Map.Entry<String, GgufValue> e : metadata.entrySet()) {
      out.string(e.getKey().getBytes(StandardCharsets.UTF_8));
      out.value(e.getValue());
    }
    long offset = 0;
    for (Pending t : tensors.values()) {
      out.string(t.name().getBytes(StandardCharsets.UTF_8));
      out.i32(t.shape().size());
      for (long d : t.shape()) {
        out.i64(d);
      }
      out.i32(t.type().id());
      out.i64(offset);
      offset = GgufParser.pad(offset + t.bytes(), alignment);
    }
    out.padTo(alignment);
    for (Pending t : new ArrayList<>(tensors.values())) {
      data(t, out);
      out.padTo(alignment);
    }
    out.flush();
  }

  private static void data(Pending t, ChannelOutput out) throws IOException {
    long start = out.position();
    t.source()
        .writeTo(piece -> {
          long given = out.position() - start + piece.byteSize();
          if (given > t.bytes()) {
            throw wrongSize(t, "at least " + given);
          }
          out.segment(piece.segment());
        });
    if (out.position() - start != t.bytes()) {
      throw wrongSize(t, "only " + (out.position() - start));
    }
  }

  private static IllegalStateException wrongSize(Pending t, String given) {
    return new IllegalStateException(
        "Tensor %s of type %s and shape %s takes %d bytes, but its source gave %s"
            .formatted(t.name(), t.type().ggmlName(), t.shape(), t.bytes(), given));
  }

  private long alignment() {
    return metadata.get(GgufParser.ALIGNMENT_KEY) instanceof GgufValue.Int i
        ? i.value()
        : GgufParser.DEFAULT_ALIGNMENT;
  }

  private static void requireAlignment(GgufValue v) {
    require(
        v instanceof GgufValue.Int(MetadataType type, long n)
            && type == MetadataType.U32
            && n >= 8
            && n <= 1 << 30
            && Long.bitCount(n) == 1,
        "The alignment must be a u32 that is a power of two and at least 8, but is %s %s",
        v.type().shortName(),
        v.display());
  }

  /** Checks a key or a name as the reader does; returns its length in bytes. */
  private static int identifier(String what, String s, int maxBytes) {
    byte[] utf8 = s.getBytes(StandardCharsets.UTF_8);
    require(
        utf8.length >= 1 && utf8.length <= maxBytes,
        "A %s takes 1 to %d bytes, but %s takes %d",
        what,
        maxBytes,
        Quote.of(s),
        utf8.length);
    require(s.indexOf('\0') < 0, "A %s must not hold NUL: %s", what, Quote.of(s));
    // A lone surrogate would be written as '?': the name read back would be another.
    require(
        new String(utf8, StandardCharsets.UTF_8).equals(s),
        "A %s must be valid Unicode: %s",
        what,
        Quote.of(s));
    return utf8.length;
  }

  @SuppressWarnings("AnnotateFormatMethod") // the annotation would be a dependency of its own
  private static void require(boolean ok, String message, Object... args) {
    if (!ok) {
      throw new IllegalArgumentException(message.formatted(args));
    }
  }
}
