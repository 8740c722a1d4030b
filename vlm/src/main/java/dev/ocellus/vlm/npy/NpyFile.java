package dev.ocellus.vlm.npy;

import dev.ocellus.io.AtomicFile;
import dev.ocellus.io.Channels;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * NumPy's {@code .npy} files of float32 and int64, in C order (last index fastest); int32 is
 * written only.
 *
 * <p>Written as format 1.0, atomically: the name never stands for half a file. Format: <a
 * href="https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html">numpy.lib.format</a>.
 */
public final class NpyFile {
  private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};
  private static final int MAX_HEADER = 1 << 16;
  private static final int BUFFER_BYTES = 1 << 16;

  /** Exactly what numpy writes, with freedom in spacing and order of the three keys. */
  private static final Pattern DESCR = Pattern.compile("['\"]descr['\"]\\s*:\\s*['\"]([^'\"]*)");

  private static final Pattern FORTRAN =
      Pattern.compile("['\"]fortran_order['\"]\\s*:\\s*(True|False)");
  private static final Pattern SHAPE =
      Pattern.compile("['\"]shape['\"]\\s*:\\s*\\(([0-9, ]{0,500})\\)");

  private NpyFile() {}

  /**
   * Writes float32.
   *
   * @param shape outermost first; its product is {@code data.length}
   * @throws IllegalArgumentException if it is not
   */
  public static void writeFloats(Path path, float[] data, int... shape) throws IOException {
    checkShape(data.length, shape);
    AtomicFile.write(
        path,
        channel -> {
          Channels.write(channel, header("<f4", shape));
          floats(channel, buffer(), data);
        });
  }

  /**
   * Writes int32.
   *
   * @param shape outermost first; its product is {@code data.length}
   * @throws IllegalArgumentException if it is not
   */
  public static void writeInts(Path path, int[] data, int... shape) throws IOException {
    checkShape(data.length, shape);
    ByteBuffer bytes =
        ByteBuffer.allocate(Math.multiplyExact(data.length, Integer.BYTES))
            .order(ByteOrder.LITTLE_ENDIAN);
    bytes.asIntBuffer().put(data);
    AtomicFile.write(
        path,
        channel -> {
          Channels.write(channel, header("<i4", shape));
          Channels.write(channel, bytes);
        });
  }

  /**
   * Writes float32 row by row, [rows, columns].
   *
   * @param source gives the rows one after the other
   * @throws IllegalArgumentException if one has another number of columns
   */
  public static void writeRows(Path path, int rows, int columns, Supplier<float[]> source)
      throws IOException {
    AtomicFile.write(
        path,
        channel -> {
          Channels.write(channel, header("<f4", rows, columns));
          ByteBuffer buffer = buffer();
          for (int i = 0; i < rows; i++) {
            float[] row = source.get();
            checkShape(row.length, columns);
            floats(channel, buffer, row);
          }
        });
  }

  /**
   * Reads a little-endian float32 or int64 file in C order.
   *
   * @throws NpyFormatException if it is not one, or is damaged
   */
  public static NpyArray read(Path path) throws IOException {
    long size = Files.size(path);
    if (size > Integer.MAX_VALUE - 16) {
      throw new NpyFormatException(path, "at most 2 GiB", size + " bytes");
    }
    ByteBuffer in = ByteBuffer.wrap(Files.readAllBytes(path)).order(ByteOrder.LITTLE_ENDIAN);
    String header = readHeader(path, in);
    if (find(path, FORTRAN, header, "fortran_order").equals("True")) {
      throw new NpyFormatException(path, "C order", "Fortran order");
    }
    int[] shape = shape(path, find(path, SHAPE, header, "shape"));
    String type = find(path, DESCR, header, "descr");
    int width =
        switch (type) {
          case "<f4" -> Float.BYTES;
          case "<i8" -> Long.BYTES;
          default -> throw new NpyFormatException(path, "'<f4' or '<i8'", "'" + type + "'");
        };
    long elements = 1;
    for (int d : shape) {
      elements = d == 0 ? 0 : elements > Integer.MAX_VALUE ? elements : elements * d;
    }
    if (elements > Integer.MAX_VALUE || elements * width != in.remaining()) {
      throw new NpyFormatException(
          path,
          "%d elements of %d bytes for shape %s".formatted(elements, width, Arrays.toString(shape)),
          in.remaining() + " bytes of data");
    }
    if (width == Float.BYTES) {
      float[] f = new float[(int) elements];
      in.asFloatBuffer().get(f);
      return new NpyArray(shape, f, null);
    }
    long[] l = new long[(int) elements];
    in.asLongBuffer().get(l);
    return new NpyArray(shape, null, l);
  }

  private static String readHeader(Path path, ByteBuffer in) {
    byte[] magic = new byte[MAGIC.length];
    if (in.remaining() < 12) {
      throw new NpyFormatException(path, "a .npy file", "only " + in.remaining() + " bytes");
    }
    in.get(magic);
    if (!Arrays.equals(magic, MAGIC)) {
      throw new NpyFormatException(path, "the magic of a .npy file", "other bytes");
    }
    int major = in.get();
    in.get(); // the minor version has no meaning so far
    if (major < 1 || major > 3) {
      throw new NpyFormatException(path, "version 1 to 3", "version " + major);
    }
    int length = major == 1 ? in.getShort() & 0xffff : in.getInt();
    if (length < 0 || length > MAX_HEADER || length > in.remaining()) {
      throw new NpyFormatException(
          path, "a header in the file", "one of " + Integer.toUnsignedString(length) + " bytes");
    }
    byte[] header = new byte[length];
    in.get(header);
    return new String(header, StandardCharsets.ISO_8859_1);
  }

  private static String find(Path path, Pattern pattern, String header, String key) {
    Matcher m = pattern.matcher(header);
    if (!m.find()) {
      throw new NpyFormatException(path, "the key '" + key + "' in the header", "none");
    }
    return m.group(1);
  }

  private static int[] shape(Path path, String list) {
    try {
      return Arrays.stream(list.split(",", -1))
          .map(String::strip)
          .filter(s -> !s.isEmpty())
          .mapToInt(Integer::parseInt)
          .toArray();
    } catch (NumberFormatException e) {
      throw new NpyFormatException(path, "a shape of 32-bit numbers", "(" + list + ")");
    }
  }

  private static void checkShape(int length, int... shape) {
    long n = 1;
    for (int d : shape) {
      n = d < 0 || n > Integer.MAX_VALUE ? -1 : n * d;
    }
    if (n != length) {
      throw new IllegalArgumentException(
          "Shape %s does not hold the %d elements given".formatted(Arrays.toString(shape), length));
    }
  }

  /**
   * Magic, version, length and the dictionary, padded so that the data starts at a multiple of 64.
   */
  private static ByteBuffer header(String type, int... shape) {
    String sizes =
        shape.length == 1
            ? shape[0] + ","
            : Arrays.stream(shape).mapToObj(Integer::toString).collect(Collectors.joining(", "));
    String dict = "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }".formatted(type, sizes);
    int before = MAGIC.length + 4;
    int total = (before + dict.length() + 1 + 63) & -64;
    ByteBuffer b = ByteBuffer.allocate(total).order(ByteOrder.LITTLE_ENDIAN);
    b.put(MAGIC).put((byte) 1).put((byte) 0).putShort((short) (total - before));
    b.put(dict.getBytes(StandardCharsets.US_ASCII));
    while (b.remaining() > 1) {
      b.put((byte) ' ');
    }
    return b.put((byte) '\n').flip();
  }

  private static ByteBuffer buffer() {
    return ByteBuffer.allocateDirect(BUFFER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static void floats(WritableByteChannel channel, ByteBuffer buffer, float[] data)
      throws IOException {
    for (int done = 0; done < data.length; ) {
      int n = Math.min(data.length - done, BUFFER_BYTES / Float.BYTES);
      buffer.clear().asFloatBuffer().put(data, done, n);
      Channels.write(channel, buffer.limit(n * Float.BYTES));
      done += n;
    }
  }
}
