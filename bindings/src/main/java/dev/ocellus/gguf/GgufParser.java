package dev.ocellus.gguf;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Reads the header of one GGUF file and validates all of it. Whatever {@code gguf_init_from_file}
 * of ggml refuses or would assert on is refused here, with a place and a reason.
 *
 * <p>Format: <a href="https://github.com/ggml-org/ggml/blob/master/docs/gguf.md">docs/gguf.md of
 * ggml</a>.
 */
final class GgufParser {
  static final int DEFAULT_ALIGNMENT = 32;
  static final String ALIGNMENT_KEY = "general.alignment";

  /** {@code GGML_MAX_NAME} less the terminating NUL. */
  static final int MAX_NAME_BYTES = 63;

  static final int MAX_DIMS = 4;

  /** The format's limit on a key. */
  static final int MAX_KEY_BYTES = 65535;

  /**
   * Own limits. Models have some hundred keys and up to a few thousand tensors, and ggml looks for
   * duplicates by comparing each with each, so an absurd count would not fail but hang.
   */
  static final int MAX_ENTRIES = 1 << 16;

  /** All keys together, so that a hostile file cannot fill the heap with names. */
  static final long MAX_KEY_BYTES_TOTAL = 1 << 24;

  /** 64 TiB: more than any file, and {@link #MAX_ENTRIES} of them still sum up inside a long. */
  static final long MAX_TENSOR_BYTES = 1L << 46;

  /** ggml's own limit on one array. */
  static final int MAX_ARRAY_ELEMENTS = 1 << 30;

  /** Arrays in arrays are in the format, but nobody needs them deep. */
  static final int MAX_ARRAY_DEPTH = 4;

  /** What a header holds; tensors in file order. */
  record Header(int version, int alignment, Map<String, GgufValue> metadata, List<Entry> tensors) {}

  /** A tensor with its place relative to the start of the file. */
  record Entry(String name, List<Long> shape, TensorType type, long offset, long bytes) {}

  private final GgufCursor in;
  private final Path file;
  private final long fileSize;

  private GgufParser(Path file, MemorySegment data) {
    this.file = file;
    this.fileSize = data.byteSize();
    this.in = new GgufCursor(file, data, 4); // the magic has been seen
  }

  /**
   * @param data the whole file, which starts with the magic
   * @throws GgufFormatException if anything in the header is wrong
   */
  static Header parse(Path file, MemorySegment data) {
    return new GgufParser(file, data).header();
  }

  private Header header() {
    int version = version();
    // A tensor takes 33 bytes at least and a key-value pair 14: absurd counts end here, before
    // anything of that size is allocated.
    int nTensors = in.count("number of tensors", Math.min(MAX_ENTRIES, in.remaining() / 33));
    int nMetadata =
        in.count("number of metadata entries", Math.min(MAX_ENTRIES, in.remaining() / 14));
    Map<String, GgufValue> metadata = metadata(nMetadata);
    int alignment = alignment(metadata);
    List<Entry> tensors = tensors(nTensors, alignment);
    return new Header(version, alignment, metadata, tensors);
  }

  private int version() {
    long at = in.position();
    int version = in.i32("version");
    if (version == 1) {
      throw in.error(
          at,
          "version",
          "2 or 3",
          "1",
          "GGUF v1 was replaced in 2023 and llama.cpp no longer reads it; convert the model again.");
    }
    if ((version & 0xffff) == 0 && version != 0) {
      throw in.error(
          at,
          "byte order",
          "little-endian",
          "big-endian (version " + Integer.reverseBytes(version) + " with its bytes reversed)",
          "The file was made for a big-endian machine; get the little-endian one, or turn it with "
              + "gguf_convert_endian.py of llama.cpp.");
    }
    if (version != 2 && version != 3) {
      throw in.error(
          at,
          "version",
          "2 or 3",
          Integer.toUnsignedString(version),
          "The file is damaged, or newer than this program; update it.");
    }
    return version;
  }

  private Map<String, GgufValue> metadata(int count) {
    Map<String, GgufValue> out = new LinkedHashMap<>();
    long keyBytes = 0;
    for (int i = 0; i < count; i++) {
      long at = in.position();
      in.begin("metadata key", i);
      String key = in.identifier(MAX_KEY_BYTES);
      keyBytes += key.length();
      if (keyBytes > MAX_KEY_BYTES_TOTAL) {
        throw in.error(
            at, "end", "at most " + MAX_KEY_BYTES_TOTAL + " bytes of keys in all", "more");
      }
      if (out.put(key, value(key)) != null) {
        throw in.error(at, "text", "a unique key", "a second " + Quote.of(key));
      }
    }
    return out;
  }

  private GgufValue value(String key) {
    in.begin(key);
    MetadataType type = in.type("type");
    return switch (type) {
      case STRING -> new GgufString(in.take(in.stringLength(), "text"));
      case BOOL -> bool();
      case ARRAY -> array(1);
      case U8, I8, U16, I16, U32, I32, U64, I64, F32, F64 -> in.number(type, "value");
    };
  }

  private GgufValue bool() {
    long at = in.position();
    int b = in.u8("value");
    if (b > 1) {
      throw in.error(at, "value", "a boolean (0 or 1)", Integer.toString(b));
    }
    return new GgufValue.Bool(b == 1);
  }

  private GgufArray array(int depth) {
    long at = in.position();
    if (depth > MAX_ARRAY_DEPTH) {
      throw in.error(at, "value", "arrays nested at most " + MAX_ARRAY_DEPTH + " deep", "more");
    }
    MetadataType element = in.type("element type");
    long smallest = element == MetadataType.STRING ? 8 : Math.max(element.byteSize(), 1);
    if (element == MetadataType.ARRAY) {
      smallest = 12;
    }
    long limit = Math.max(0, Math.min(MAX_ARRAY_ELEMENTS, (in.remaining() - 8) / smallest));
    int n = in.count("number of elements", limit);
    long start = in.position();
    switch (element) {
      case STRING -> {
        for (int i = 0; i < n; i++) {
          in.skip(in.stringLength());
        }
      }
      case ARRAY -> {
        for (int i = 0; i < n; i++) {
          array(depth + 1);
        }
      }
      case BOOL -> {
        for (int i = 0; i < n; i++) {
          bool();
        }
      }
      case U8, I8, U16, I16, U32, I32, U64, I64, F32, F64 ->
          in.take((long) n * element.byteSize(), "elements");
    }
    return new GgufArray(element, n, in.slice(start, in.position() - start));
  }

  private int alignment(Map<String, GgufValue> metadata) {
    GgufValue v = metadata.get(ALIGNMENT_KEY);
    if (v == null) {
      return DEFAULT_ALIGNMENT;
    }
    String expected = "a u32 that is a power of two and a multiple of 8";
    if (v instanceof GgufValue.Int(MetadataType type, long value) && type == MetadataType.U32) {
      if (value >= 8 && value <= 1 << 30 && Long.bitCount(value) == 1) {
        return (int) value;
      }
      throw bad(ALIGNMENT_KEY, expected, Long.toString(value));
    }
    throw bad(ALIGNMENT_KEY, expected, "a value of type " + v.type().shortName());
  }

  private GgufFormatException bad(String key, String expected, String found) {
    in.begin(key);
    return in.error(GgufFormatException.NOWHERE, "value", expected, found);
  }

  private List<Entry> tensors(int count, int alignment) {
    List<Entry> relative = new ArrayList<>();
    Set<String> names = new HashSet<>();
    long end = 0; // of the data section so far, padded
    for (int i = 0; i < count; i++) {
      long at = in.position();
      in.begin("tensor name", i);
      String name = in.identifier(MAX_NAME_BYTES);
      if (!names.add(name)) {
        throw in.error(at, "text", "a unique name", "a second " + Quote.of(name));
      }
      Entry t = tensor(name, end);
      relative.add(t);
      end = pad(t.offset() + t.bytes(), alignment); // see MAX_TENSOR_BYTES
    }
    if (count == 0) {
      return relative;
    }
    long dataStart = pad(in.position(), alignment);
    Entry last = relative.getLast();
    long needed = dataStart + last.offset() + last.bytes();
    if (needed > fileSize) {
      throw new GgufFormatException(
          file,
          fileSize,
          "tensor data up to " + Quote.of(last.name()),
          needed + " bytes in the file",
          "%d, so %d are missing".formatted(fileSize, needed - fileSize),
          "The file is incomplete: download or copy it again.");
    }
    List<Entry> absolute = new ArrayList<>(count);
    for (Entry t : relative) {
      absolute.add(new Entry(t.name(), t.shape(), t.type(), dataStart + t.offset(), t.bytes()));
    }
    return absolute;
  }

  private Entry tensor(String name, long expectedOffset) {
    in.begin(name);
    long at = in.position();
    int nDims = in.i32("number of dimensions");
    if (nDims < 1 || nDims > MAX_DIMS) {
      throw in.error(
          at, "number of dimensions", "1 to " + MAX_DIMS, Integer.toUnsignedString(nDims));
    }
    List<Long> shape = new ArrayList<>(nDims);
    long elements = 1;
    for (int d = 0; d < nDims; d++) {
      at = in.position();
      long size = in.i64("dimension");
      // 2^59 elements of at most 8 bytes keep the size in bytes inside a long.
      if (size < 1 || size > (1L << 59) / elements) {
        throw in.error(
            at,
            "dimension " + d,
            "at least 1 and a representable number of elements",
            Long.toString(size));
      }
      elements *= size;
      shape.add(size);
    }
    at = in.position();
    TensorType type = tensorType(in.i32("type"), at);
    if (shape.getFirst() % type.blockSize() != 0) {
      throw in.error(
          at,
          "rows",
          "a multiple of %d elements for type %s".formatted(type.blockSize(), type.ggmlName()),
          Long.toString(shape.getFirst()));
    }
    long bytes = elements / type.blockSize() * type.blockBytes();
    if (bytes > MAX_TENSOR_BYTES) {
      throw in.error(at, "size", "at most " + MAX_TENSOR_BYTES + " bytes", "" + bytes);
    }
    at = in.position();
    long offset = in.i64("offset");
    // ggml wants the tensors one after the other with nothing but padding between them. That also
    // says that they are aligned and do not overlap.
    if (offset != expectedOffset) {
      throw in.error(
          at,
          "offset",
          expectedOffset + " (right behind the tensor before, aligned)",
          Long.toUnsignedString(offset));
    }
    return new Entry(name, List.copyOf(shape), type, offset, bytes);
  }

  private TensorType tensorType(int id, long at) {
    TensorType type = TensorType.ofIdOrNull(id);
    if (type != null) {
      return type;
    }
    Optional<String> removed = TensorType.removed(id);
    if (removed.isPresent()) {
      throw in.error(at, "type", "a current ggml type", id + ": " + removed.get(), "");
    }
    throw in.error(
        at,
        "type",
        "a ggml type of llama.cpp v0.4.0",
        Integer.toUnsignedString(id),
        "The file is damaged, or newer than this program; update it.");
  }

  /** The next multiple of {@code alignment}, a power of two. */
  static long pad(long n, int alignment) {
    return (n + alignment - 1) & -(long) alignment;
  }
}
