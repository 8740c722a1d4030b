package dev.ocellus.safetensors;

import com.fasterxml.jackson.databind.util.ByteBufferBackedInputStream;
import dev.ocellus.io.ForeignFile;
import dev.ocellus.io.MappedFile;
import dev.ocellus.io.Memory;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A safetensors file, memory-mapped and validated: header size, JSON, types, shapes, offsets in the
 * file, no overlap. One file; checkpoints of several files are several of these.
 *
 * <p>Shapes are those of the file, outermost first. Safe for use by several threads; after {@link
 * #close()} reading data throws {@link IllegalStateException}.
 */
public final class SafetensorsFile implements TensorFile {
  private static final ValueLayout.OfLong I64 =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt I32 =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort I16 =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfByte I8 = ValueLayout.JAVA_BYTE;

  private final Path path;
  private final Arena arena;
  private final MemorySegment data;
  private final SafetensorsHeader header;
  private final AtomicBoolean closed = new AtomicBoolean();

  private SafetensorsFile(Path path, Arena arena, MemorySegment data, SafetensorsHeader header) {
    this.path = path;
    this.arena = arena;
    this.data = data;
    this.header = header;
  }

  /**
   * Opens a file.
   *
   * @throws IOException if it is missing, is a directory or cannot be read
   * @throws SafetensorsFormatException if it is not a valid safetensors file
   */
  @SuppressWarnings("MustBeClosed") // the file that is returned owns and closes the arena
  public static SafetensorsFile open(Path path) throws IOException {
    Arena arena = Arena.ofShared();
    boolean ok = false;
    try {
      MemorySegment file = MappedFile.map(path, ".safetensors", arena);
      long size = file.byteSize();
      requireGenuine(path, file);
      if (size < 10) {
        throw new SafetensorsFormatException(path, "file", "a header", size + " bytes in all");
      }
      long length = file.get(I64, 0);
      if (length < 2 || length > SafetensorsHeader.MAX_HEADER_BYTES || length > size - 8) {
        throw new SafetensorsFormatException(
            path,
            "length of the header",
            "2 to " + Math.min(SafetensorsHeader.MAX_HEADER_BYTES, size - 8),
            Long.toUnsignedString(length));
      }
      if (file.get(I8, 8) != '{') {
        throw new SafetensorsFormatException(path, "header", "'{' at byte 8", "another character");
      }
      var json = new ByteBufferBackedInputStream(file.asSlice(8, length).asByteBuffer());
      SafetensorsHeader header = SafetensorsHeader.parse(path, json, size - 8 - length);
      ok = true;
      return new SafetensorsFile(path, arena, file.asSlice(8 + length), header);
    } finally {
      if (!ok) {
        arena.close();
      }
    }
  }

  private static void requireGenuine(Path path, MemorySegment file) {
    long n = Math.min(file.byteSize(), ForeignFile.HEAD_BYTES);
    ForeignFile.recognise(file.asSlice(0, n).toArray(I8))
        .ifPresent(foreign -> {
          throw new SafetensorsFormatException(path, foreign);
        });
  }

  /** The file. */
  @Override
  public Path path() {
    return path;
  }

  /** Names of all tensors in the order of the header. */
  @Override
  public Set<String> names() {
    return Collections.unmodifiableSet(header.tensors.keySet());
  }

  /** Whether there is a tensor of this name. */
  @Override
  public boolean contains(String name) {
    return header.tensors.containsKey(name);
  }

  /** The free text entries of the header, such as {@code format} = {@code pt}. */
  public Map<String, String> metadata() {
    return Collections.unmodifiableMap(header.metadata);
  }

  /** Shape, outermost first; empty for a scalar. */
  @Override
  public List<Long> shape(String name) {
    return entry(name).shape();
  }

  /** Element type. */
  @Override
  public SafetensorsType type(String name) {
    return entry(name).type();
  }

  /**
   * The elements of a floating point tensor in C order, widened exactly; F64 rounded.
   *
   * @throws SafetensorsFormatException if there is no such tensor or it is of another type
   */
  public float[] floats(String name) {
    SafetensorsHeader.Entry e = entry(name);
    switch (e.type()) {
      case F32, F16, BF16, F64, F8_E4M3, F8_E5M2, F8_E8M0 -> {}
      default -> throw wrongType(name, e, "a floating point type");
    }
    float[] out = new float[count(name, e)];
    ElementDecoder.read(e.type(), data, e.begin(), out, 0, out.length);
    return out;
  }

  /**
   * The elements of an integer or BOOL tensor in C order; a U64 as its 64 bits.
   *
   * @throws SafetensorsFormatException if there is no such tensor or it is of another type
   */
  public long[] longs(String name) {
    SafetensorsHeader.Entry e = entry(name);
    switch (e.type()) {
      case F64, F32, F16, BF16, F8_E4M3, F8_E5M2, F8_E8M0 ->
          throw wrongType(name, e, "an integer type or BOOL");
      default -> {}
    }
    long[] out = new long[count(name, e)];
    MemorySegment s = segment(e);
    for (int i = 0; i < out.length; i++) {
      out[i] =
          switch (e.type()) {
            case I64, U64 -> s.get(I64, 8L * i);
            case I32 -> s.get(I32, 4L * i);
            case U32 -> s.get(I32, 4L * i) & 0xffff_ffffL;
            case I16 -> s.get(I16, 2L * i);
            case U16 -> s.get(I16, 2L * i) & 0xffffL;
            case I8 -> s.get(I8, i);
            case U8, BOOL -> s.get(I8, i) & 0xffL;
            default -> throw new AssertionError(e.type());
          };
    }
    return out;
  }

  /**
   * Reads some elements in C order, widened or rounded to float; BOOL as 0 and 1.
   *
   * @param first index of the first element
   * @throws SafetensorsFormatException if there is no such tensor
   * @throws IndexOutOfBoundsException if the elements are not all in the tensor and the array
   */
  @Override
  public void read(String name, long first, float[] out, int offset, int count) {
    SafetensorsHeader.Entry e = entry(name);
    Objects.checkFromIndexSize(first, count, (e.end() - e.begin()) / e.type().bytes());
    Objects.checkFromIndexSize(offset, count, out.length);
    ElementDecoder.read(e.type(), data, e.begin() + first * e.type().bytes(), out, offset, count);
  }

  /** The bytes of a tensor of any type, little-endian. */
  public byte[] bytes(String name) {
    SafetensorsHeader.Entry e = entry(name);
    long n = e.end() - e.begin();
    if (n > Integer.MAX_VALUE - 16) {
      throw new SafetensorsFormatException(path, "tensor " + name, "at most 2 GiB", n + " bytes");
    }
    return segment(e).toArray(I8);
  }

  private SafetensorsHeader.Entry entry(String name) {
    SafetensorsHeader.Entry e = header.tensors.get(name);
    if (e == null) {
      throw new SafetensorsFormatException(
          path,
          "tensor " + SafetensorsHeader.quote(name),
          "such a tensor",
          "none among " + header.tensors.size());
    }
    return e;
  }

  private int count(String name, SafetensorsHeader.Entry e) {
    long n = (e.end() - e.begin()) / e.type().bytes();
    if (n > Integer.MAX_VALUE - 16) {
      throw new SafetensorsFormatException(
          path, "tensor " + name, "fewer than 2^31 elements", Long.toString(n));
    }
    return (int) n;
  }

  /**
   * The bytes of a tensor as they lie in the file, read-only, little-endian; usable while it is
   * open.
   */
  public Memory data(String name) {
    return new Memory(segment(entry(name)));
  }

  /** {@link #data}: always there. */
  @Override
  public Optional<Memory> stored(String name) {
    return Optional.of(data(name));
  }

  private MemorySegment segment(SafetensorsHeader.Entry e) {
    return data.asSlice(e.begin(), e.end() - e.begin());
  }

  private SafetensorsFormatException wrongType(
      String name, SafetensorsHeader.Entry e, String expected) {
    return new SafetensorsFormatException(
        path, "tensor " + SafetensorsHeader.quote(name), expected, e.type().toString());
  }

  /** Unmaps the file. Closing twice is allowed. */
  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      arena.close();
    }
  }
}
