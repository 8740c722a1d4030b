package dev.ocellus.gguf;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * A position in the header of a file that checks that the bytes are there before it reads them.
 *
 * <p>What an error would name is kept as plain fields and put together only when one is thrown: the
 * header is read at every start of the program, cold, where building messages would show.
 */
final class GgufCursor {
  /** ggml's own limit on one string. */
  private static final long MAX_STRING_BYTES = 1L << 30;

  private static final String DOWNLOAD_AGAIN =
      "The file is cut short or damaged; download or convert it again.";

  private final Path file;
  private final MemorySegment data;
  private final long size;
  private long position;
  private String subject = ""; // of the header itself there is nothing to say
  private int index = -1;

  GgufCursor(Path file, MemorySegment data, long position) {
    this.file = file;
    this.data = data;
    this.size = data.byteSize();
    this.position = position;
  }

  long position() {
    return position;
  }

  long remaining() {
    return size - position;
  }

  MemorySegment slice(long from, long bytes) {
    return data.asSlice(from, bytes);
  }

  /** Says what the next fields belong to: the key or tensor of this name. */
  void begin(String name) {
    subject = name;
    index = -1;
  }

  /** Says what the next fields belong to: number {@code i} of a kind. */
  void begin(String kind, int i) {
    subject = kind;
    index = i;
  }

  int u8(String what) {
    need(1, what);
    return data.get(JAVA_BYTE, position++) & 0xff;
  }

  int i32(String what) {
    need(4, what);
    int v = data.get(Encoding.U32, position);
    position += 4;
    return v;
  }

  long i64(String what) {
    need(8, what);
    long v = data.get(Encoding.U64, position);
    position += 8;
    return v;
  }

  /** Steps over {@code bytes} and returns them. */
  MemorySegment take(long bytes, String what) {
    need(bytes, what);
    MemorySegment s = data.asSlice(position, bytes);
    position += bytes;
    return s;
  }

  /** A number (of type {@code type}) as a value. */
  GgufValue number(MetadataType type, String what) {
    need(type.byteSize(), what);
    long at = position;
    position += type.byteSize();
    return type.isInteger()
        ? new GgufValue.Int(type, Encoding.integer(data, at, type))
        : new GgufValue.Real(type, Encoding.real(data, at, type));
  }

  /** A count that a 64-bit field holds, checked against a limit. */
  int count(String what, long limit) {
    long at = position;
    long n = i64(what);
    if (n < 0 || n > limit) {
      throw error(at, what, "at most " + limit, Long.toUnsignedString(n));
    }
    return (int) n;
  }

  /** The length of a string, whose bytes are known to follow. */
  long stringLength() {
    long at = position;
    long n = i64("length");
    if (n < 0 || n > size - position || n > MAX_STRING_BYTES) {
      throw error(
          at,
          "length",
          "at most %d bytes (what is left of the file)"
              .formatted(Math.min(size - position, MAX_STRING_BYTES)),
          Long.toUnsignedString(n));
    }
    return n;
  }

  void skip(long bytes) {
    position += bytes;
  }

  /** A string that must be short, not empty, valid UTF-8 and free of NUL: a key or a name. */
  String identifier(int maxBytes) {
    long at = position;
    long n = stringLength();
    if (n == 0 || n > maxBytes) {
      throw error(at, "length", "1 to " + maxBytes + " bytes", Long.toString(n));
    }
    ByteBuffer bytes = data.asSlice(position, n).asByteBuffer();
    try {
      String s = StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
      if (s.indexOf('\0') >= 0) {
        throw error(position, "text", "no NUL character", Quote.of(s));
      }
      position += n;
      return s;
    } catch (CharacterCodingException e) {
      throw error(position, "text", "valid UTF-8", "other bytes");
    }
  }

  MetadataType type(String what) {
    long at = position;
    int id = i32(what);
    MetadataType type = MetadataType.ofIdOrNull(id);
    if (type == null) {
      throw error(at, what, "a GGUF value type (0 to 12)", Integer.toString(id));
    }
    return type;
  }

  GgufFormatException error(long at, String what, String expected, String found) {
    return error(at, what, expected, found, DOWNLOAD_AGAIN);
  }

  GgufFormatException error(long at, String what, String expected, String found, String remedy) {
    String whole = index < 0 ? Quote.of(subject) : subject + " " + index;
    if (subject.isEmpty()) {
      return new GgufFormatException(file, at, what, expected, found, remedy);
    }
    return new GgufFormatException(file, at, what + " of " + whole, expected, found, remedy);
  }

  private void need(long bytes, String what) {
    if (bytes < 0 || bytes > size - position) {
      throw error(
          position,
          what,
          Long.toUnsignedString(bytes) + " bytes",
          "only " + (size - position) + " before the end of the file");
    }
  }
}
