package dev.ocellus.vlm.image.codec;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A directory of tags in a TIFF or BigTIFF file, one for each of its images, which EXIF metadata
 * also is.
 *
 * <p>Broken directories are read as <a
 * href="https://github.com/python-pillow/Pillow/blob/bb1d8e8ab8d29048624d96e3ee53cecf7c13d13d/src/PIL/TiffImagePlugin.py">
 * Pillow 12.3, ImageFileDirectory_v2.load</a> reads them: up to the first value that lies beyond
 * the end of the file, of a repeated tag the last value, and without values of unknown types. So an
 * orientation that Pillow finds is found here, and one that it misses is missed.
 */
final class TiffDirectory {
  static final int WIDTH = 256;
  static final int HEIGHT = 257;
  static final int BITS_PER_SAMPLE = 258;
  static final int COMPRESSION = 259;
  static final int PHOTOMETRIC = 262;
  static final int FILL_ORDER = 266;
  static final int STRIP_OFFSETS = 273;
  static final int ORIENTATION = 274;
  static final int SAMPLES_PER_PIXEL = 277;
  static final int ROWS_PER_STRIP = 278;
  static final int STRIP_BYTE_COUNTS = 279;
  static final int PLANAR_CONFIGURATION = 284;
  static final int PREDICTOR = 317;
  static final int COLOR_MAP = 320;
  static final int TILE_WIDTH = 322;
  static final int TILE_HEIGHT = 323;
  static final int TILE_OFFSETS = 324;
  static final int TILE_BYTE_COUNTS = 325;
  static final int EXTRA_SAMPLES = 338;
  static final int SAMPLE_FORMAT = 339;
  static final int JPEG_TABLES = 347;
  static final int YCBCR_COEFFICIENTS = 529;
  static final int YCBCR_SUBSAMPLING = 530;
  static final int REFERENCE_BLACK_WHITE = 532;
  static final int XMP = 700;

  private static final int BIG = 43;

  /** A value: {@code count} numbers or bytes of a type, in the byte order of the file. */
  private record Field(Type type, int count, ByteBuffer data) {
    double number(int i) {
      int at = i * type.size;
      return switch (type) {
        case BYTE -> data.get(at) & 0xFF;
        case SBYTE -> data.get(at);
        case SHORT -> data.getShort(at) & 0xFFFF;
        case SSHORT -> data.getShort(at);
        case LONG, IFD -> data.getInt(at) & 0xFFFFFFFFL;
        case SLONG -> data.getInt(at);
        case LONG8 -> data.getLong(at);
        case FLOAT -> data.getFloat(at);
        case DOUBLE -> data.getDouble(at);
        case RATIONAL ->
            (data.getInt(at) & 0xFFFFFFFFL) / (double) (data.getInt(at + 4) & 0xFFFFFFFFL);
        case SRATIONAL -> data.getInt(at) / (double) data.getInt(at + 4);
        case ASCII, UNDEFINED -> Double.NaN;
      };
    }
  }

  /** Types of values, by number and size in bytes. */
  private enum Type {
    BYTE(1, 1),
    ASCII(2, 1),
    SHORT(3, 2),
    LONG(4, 4),
    RATIONAL(5, 8),
    SBYTE(6, 1),
    UNDEFINED(7, 1),
    SSHORT(8, 2),
    SLONG(9, 4),
    SRATIONAL(10, 8),
    FLOAT(11, 4),
    DOUBLE(12, 8),
    IFD(13, 4),
    LONG8(16, 8);

    private final int number;
    private final int size;

    Type(int number, int size) {
      this.number = number;
      this.size = size;
    }

    static @Nullable Type of(int number) {
      for (Type type : values()) {
        if (type.number == number) {
          return type;
        }
      }
      return null;
    }
  }

  private final ByteBuffer file;
  private final Map<Integer, Field> fields = new HashMap<>();

  private TiffDirectory(ByteBuffer file) {
    this.file = file;
  }

  /**
   * The first directory of a file, or null if the file does not begin as one.
   *
   * @param bytes the file from its byte-order mark on
   */
  static @Nullable TiffDirectory first(ByteBuffer bytes) {
    List<TiffDirectory> found = directories(bytes, 1);
    return found.isEmpty() ? null : found.getFirst();
  }

  /**
   * The directories of a file, one for each of its images, in their order; none if the file does
   * not begin as one.
   *
   * @param most where to stop
   */
  static List<TiffDirectory> directories(ByteBuffer bytes, int most) {
    ByteBuffer file = bytes.slice();
    if (file.remaining() < 8 || file.get(0) != file.get(1)) {
      return List.of();
    }
    switch (file.get(0)) {
      case 'I' -> file.order(ByteOrder.LITTLE_ENDIAN);
      case 'M' -> file.order(ByteOrder.BIG_ENDIAN);
      default -> {
        return List.of();
      }
    }
    // Some programs write the version in the other byte order.
    int version = file.get(2) | file.get(3);
    if (version != 42 && version != BIG || file.get(2) != 0 && file.get(3) != 0) {
      return List.of();
    }
    boolean big = version == BIG;
    List<TiffDirectory> found = new ArrayList<>();
    Set<Long> seen = new HashSet<>();
    long at = big ? (file.remaining() < 16 ? 0 : file.getLong(8)) : offset(file, 4);
    do { // a chain that comes back to where it was ends there
      TiffDirectory directory = new TiffDirectory(file);
      found.add(directory);
      seen.add(at);
      if (big) {
        directory.read(at, 8, 20, 8);
      } else {
        directory.read(at, 2, 12, 4);
      }
      at = next(file, at, big);
    } while (at > 0 && found.size() < most && !seen.contains(at));
    return found;
  }

  private static long offset(ByteBuffer file, int at) {
    return file.getInt(at) & 0xFFFFFFFFL;
  }

  /** Where the directory behind this one is; 0 for nowhere. */
  private static long next(ByteBuffer file, long at, boolean big) {
    int countSize = big ? 8 : 2;
    if (at <= 0 || at > file.limit() - countSize) {
      return 0;
    }
    long count = big ? file.getLong((int) at) : file.getShort((int) at) & 0xFFFF;
    int entry = big ? 20 : 12;
    if (count < 0 || count > file.limit() / entry) {
      return 0;
    }
    long end = at + countSize + count * entry;
    if (end > file.limit() - (big ? 8 : 4)) {
      return 0;
    }
    long next = big ? file.getLong((int) end) : offset(file, (int) end);
    return next > 0 && next <= file.limit() - countSize ? next : 0;
  }

  /** Sizes in bytes: of the number of entries, of an entry, of a value or offset in it. */
  private void read(long offset, int countSize, int entrySize, int valueSize) {
    if (offset < 0 || offset > file.limit() - countSize) {
      return;
    }
    int at = (int) offset;
    long count = countSize == 2 ? file.getShort(at) & 0xFFFF : file.getLong(at);
    at += countSize;
    for (long i = 0; i < count && at <= file.limit() - entrySize; i++, at += entrySize) {
      Type type = Type.of(file.getShort(at + 2) & 0xFFFF);
      long n = valueSize == 4 ? file.getInt(at + 4) & 0xFFFFFFFFL : file.getLong(at + 4);
      int valueAt = at + entrySize - valueSize;
      if (type == null || n == 0) {
        continue;
      }
      if (n < 0 || n > file.limit() / type.size) {
        return;
      }
      long start = valueAt;
      if (n * type.size > valueSize) {
        start = valueSize == 4 ? file.getInt(valueAt) & 0xFFFFFFFFL : file.getLong(valueAt);
      }
      if (start < 0 || start > file.limit() - n * type.size) {
        return;
      }
      ByteBuffer data = file.slice((int) start, (int) n * type.size).order(file.order());
      fields.put(file.getShort(at) & 0xFFFF, new Field(type, (int) n, data));
    }
  }

  boolean isLittleEndian() {
    return file.order() == ByteOrder.LITTLE_ENDIAN;
  }

  boolean has(int tag) {
    return fields.containsKey(tag);
  }

  /** The value of a tag as numbers; none if the tag is absent or is text. */
  double[] numbers(int tag) {
    Field field = fields.get(tag);
    if (field == null || field.type == Type.ASCII || field.type == Type.UNDEFINED) {
      return new double[0];
    }
    double[] numbers = new double[field.count];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = field.number(i);
    }
    return numbers;
  }

  /** The numbers of a tag as integers; what no long can hold becomes the nearest that it can. */
  long[] integers(int tag) {
    double[] numbers = numbers(tag);
    long[] integers = new long[numbers.length];
    for (int i = 0; i < integers.length; i++) {
      integers[i] = (long) numbers[i];
    }
    return integers;
  }

  /** The first number of a tag, or {@code absent}. */
  long integer(int tag, long absent) {
    Field field = fields.get(tag);
    return field == null ? absent : (long) field.number(0);
  }

  /** The bytes of a tag's value, in the byte order of the file; null if the tag is absent. */
  @Nullable ByteBuffer bytes(int tag) {
    Field field = fields.get(tag);
    return field == null ? null : field.data.duplicate().order(file.order());
  }

  /**
   * The orientation tag; 0 for a value that is no number from 1 to 8, also if it was written as
   * bytes, which Pillow does not take for a number.
   */
  int orientation() {
    Field field = fields.get(ORIENTATION);
    if (field == null || field.type == Type.BYTE) {
      return 0;
    }
    double value = field.number(0);
    return value >= 1 && value <= 8 && value == Math.rint(value) ? (int) value : 0;
  }
}
