package dev.ocellus.vlm.image.codec;

import dev.ocellus.vlm.image.ImageSize;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Decodes what nearly all JPEG files are: Huffman-coded, sequential, all components in one scan,
 * each at full or half resolution, and no restart marker lost. For anything else it gives null, and
 * the JDK's decoder takes over, which reads progressive files, but needs a native library and one
 * thread for all.
 *
 * <p>The entropy code has to be read from the beginning to the end; transforms follow in the
 * background, some rows of blocks at a time.
 */
final class JpegSequential {
  private static final int SOF0 = 0xC0;
  private static final int SOF1 = 0xC1;
  private static final int DHT = 0xC4;
  private static final int SOS = 0xDA;
  private static final int DQT = 0xDB;
  private static final int DRI = 0xDD;
  private static final int RST0 = 0xD0;

  /** Images with fewer samples are done before another thread has begun. */
  private static final int PARALLEL_SAMPLES = 1 << 19;

  private static final int BANDS = 16;

  private final byte[] file;
  private final int[][] quants = new int[4][];
  private final JpegHuffman[] dc = new JpegHuffman[4];
  private final JpegHuffman[] ac = new JpegHuffman[4];
  private final List<Part> parts = new ArrayList<>();
  private int width;
  private int height;
  private int maxAcross = 1;
  private int maxDown = 1;
  private int restartInterval;

  /** A component while it is decoded. */
  private static final class Part {
    private int id;
    private int across;
    private int down;
    private int quant;
    private int[] quants = {};
    private @Nullable JpegHuffman dc;
    private @Nullable JpegHuffman ac;
    private int previous;
    private int stride;
    private byte[] samples = {};
  }

  private JpegSequential(byte[] file) {
    this.file = file;
  }

  /**
   * Decodes a file.
   *
   * @param file with valid lengths of segments, and an end marker
   * @return its components; null if it is not as described
   */
  static @Nullable JpegPixels decode(byte[] file) {
    JpegSequential decoder = new JpegSequential(file);
    int scan = decoder.readSegments();
    return scan < 0 ? null : decoder.readScan(scan);
  }

  private int u8(int at) {
    return file[at] & 0xFF;
  }

  private int u16(int at) {
    return u8(at) << 8 | u8(at + 1);
  }

  /** Where the entropy-coded bytes begin; -1 for a file of another kind. */
  private int readSegments() {
    int at = 2;
    while (at + 4 <= file.length) {
      if (u8(at) != 0xFF) {
        return -1;
      }
      int marker = u8(at + 1);
      int next = at + 2 + u16(at + 2);
      if (next > file.length) {
        return -1;
      }
      boolean ok =
          switch (marker) {
            case SOF0, SOF1 -> parts.isEmpty() && readFrame(at + 4, next);
            case DHT -> readCodes(at + 4, next);
            case DQT -> readQuants(at + 4, next);
            case DRI -> readInterval(at + 4, next);
            case SOS -> !parts.isEmpty() && readScanHeader(at + 4, next);
            default -> false;
          };
      if (!ok) {
        return -1;
      }
      if (marker == SOS) {
        return next;
      }
      at = next;
    }
    return -1;
  }

  private boolean readInterval(int at, int end) {
    if (end - at < 2) {
      return false;
    }
    restartInterval = u16(at);
    return true;
  }

  private boolean readFrame(int at, int end) {
    if (end - at < 6 || u8(at) != 8) {
      return false;
    }
    height = u16(at + 1);
    width = u16(at + 3);
    int count = u8(at + 5);
    if (end - at != 6 + 3 * count || height == 0 || width == 0) {
      return false;
    }
    for (int i = 0; i < count; i++) {
      Part part = new Part();
      int field = at + 6 + 3 * i;
      part.id = u8(field);
      part.across = u8(field + 1) >> 4;
      part.down = u8(field + 1) & 0xF;
      part.quant = u8(field + 2);
      if (part.across < 1 || part.across > 2 || part.down < 1 || part.down > 2 || part.quant > 3) {
        return false;
      }
      maxAcross = Math.max(maxAcross, part.across);
      maxDown = Math.max(maxDown, part.down);
      parts.add(part);
    }
    if (count == 1) { // blocks of a lone component stand in rows, whatever its factors are
      parts.getFirst().across = 1;
      parts.getFirst().down = 1;
      maxAcross = 1;
      maxDown = 1;
    }
    return parts.stream().mapToInt(part -> part.id).distinct().count() == count;
  }

  private boolean readQuants(int at, int end) {
    int from = at;
    while (from < end) {
      boolean wide = u8(from) >> 4 != 0;
      int index = u8(from) & 0xF;
      int bytes = wide ? 2 : 1;
      if (index > 3 || from + 1 + 64 * bytes > end) {
        return false;
      }
      int[] table = new int[64];
      for (int i = 0; i < 64; i++) {
        int value = from + 1 + i * bytes;
        table[JpegBits.place(i)] = wide ? u16(value) : u8(value);
      }
      quants[index] = table;
      from += 1 + 64 * bytes;
    }
    return true;
  }

  private boolean readCodes(int at, int end) {
    int from = at;
    while (from < end) {
      int index = u8(from) & 0xF;
      int kind = u8(from) >> 4;
      if (index > 3 || kind > 1 || from + 17 > end) {
        return false;
      }
      JpegHuffman table = JpegHuffman.read(file, from + 1, end, kind == 0);
      if (table == null) {
        return false;
      }
      (kind == 0 ? dc : ac)[index] = table;
      from += 1 + table.length();
    }
    return true;
  }

  private boolean readScanHeader(int at, int end) {
    int count = parts.size();
    if (end - at != 4 + 2 * count || u8(at) != count) {
      return false;
    }
    for (int i = 0; i < count; i++) {
      Part part = parts.get(i);
      int tables = u8(at + 2 + 2 * i);
      if (u8(at + 1 + 2 * i) != part.id || tables >> 4 > 3 || (tables & 0xF) > 3) {
        return false;
      }
      int[] table = quants[part.quant];
      part.dc = dc[tables >> 4];
      part.ac = ac[tables & 0xF];
      if (table == null || part.dc == null || part.ac == null) {
        return false;
      }
      part.quants = table;
    }
    int fields = at + 1 + 2 * count;
    return u8(fields) == 0 && u8(fields + 1) == 63 && u8(fields + 2) == 0;
  }

  private @Nullable JpegPixels readScan(int scan) {
    int nAcross = ceil(width, 8 * maxAcross);
    int nDown = ceil(height, 8 * maxDown);
    boolean parallel = (long) width * height >= PARALLEL_SAMPLES;
    int band = parallel ? ceil(nDown, BANDS) : nDown;
    JpegBits bits = new JpegBits(file, scan);
    List<CompletableFuture<Void>> transforms = new ArrayList<>();
    AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    try {
      for (int row = 0; row < nDown; row += band) {
        int first = row;
        int n = Math.min(band, nDown - row);
        short[][] coefficients = readRows(bits, first, n, nAcross);
        if (coefficients == null) {
          return null;
        }
        if (first == 0) { // there are pixels behind the size that the header names
          allocate(nAcross, nDown);
        }
        if (parallel) {
          transforms.add(
              CompletableFuture.runAsync(
                  () -> transformOrKeep(failure, coefficients, first, n, nAcross)));
        } else {
          transform(coefficients, first, n, nAcross);
        }
      }
    } finally {
      transforms.forEach(CompletableFuture::join);
    }
    switch (failure.get()) {
      case null -> {}
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      case Throwable e -> throw new IllegalStateException("a checked exception", e);
    }
    return pixels(parallel);
  }

  /** A future needs an object to end with an exception, and never ends if the heap is full. */
  private void transformOrKeep(
      AtomicReference<@Nullable Throwable> failure, short[][] all, int first, int n, int nAcross) {
    try {
      transform(all, first, n, nAcross);
    } catch (RuntimeException | Error e) {
      failure.compareAndSet(null, e);
    }
  }

  private void allocate(int nAcross, int nDown) {
    for (Part part : parts) {
      part.stride = nAcross * part.across * 8;
      part.samples = new byte[Math.multiplyExact(part.stride, nDown * part.down * 8)];
    }
  }

  private static int ceil(int n, int by) {
    return (n + by - 1) / by;
  }

  /**
   * Coefficients of some rows of minimum coded units, for each component; null if a marker is
   * missing.
   */
  private short @Nullable [][] readRows(JpegBits bits, int first, int n, int nAcross) {
    short[][] all = new short[parts.size()][];
    for (int c = 0; c < all.length; c++) {
      Part part = parts.get(c);
      all[c] = new short[Math.multiplyExact(n * nAcross * part.across * part.down, 64)];
    }
    for (int row = 0; row < n; row++) {
      for (int unit = 0; unit < nAcross; unit++) {
        int number = (first + row) * nAcross + unit;
        if (restartInterval > 0 && number > 0 && number % restartInterval == 0) {
          if (!bits.restart(RST0 + (number / restartInterval - 1) % 8)) {
            return null;
          }
          parts.forEach(part -> part.previous = 0);
        }
        if (!bits.isExhausted()) {
          readUnit(bits, all, row, unit, nAcross);
        }
      }
    }
    return all;
  }

  private void readUnit(JpegBits bits, short[][] all, int row, int unit, int nAcross) {
    for (int c = 0; c < all.length; c++) {
      Part part = parts.get(c);
      JpegHuffman dcCode = part.dc;
      JpegHuffman acCode = part.ac;
      if (dcCode == null || acCode == null) {
        throw new IllegalStateException("a scan without codes");
      }
      for (int y = 0; y < part.down; y++) {
        for (int x = 0; x < part.across; x++) {
          int block = (row * part.down + y) * nAcross * part.across + unit * part.across + x;
          part.previous = bits.block(dcCode, acCode, all[c], 64 * block, part.previous);
        }
      }
    }
  }

  private void transform(short[][] all, int first, int n, int nAcross) {
    JpegTransform transform = new JpegTransform();
    for (int c = 0; c < all.length; c++) {
      Part part = parts.get(c);
      int blocks = nAcross * part.across;
      for (int y = 0; y < n * part.down; y++) {
        int to = (first * part.down + y) * 8 * part.stride;
        for (int x = 0; x < blocks; x++) {
          transform.block(
              all[c], 64 * (y * blocks + x), part.quants, part.samples, to + 8 * x, part.stride);
        }
      }
    }
  }

  private @Nullable JpegPixels pixels(boolean parallel) {
    JpegPlane[] planes = new JpegPlane[parts.size()];
    for (int c = 0; c < planes.length; c++) {
      Part part = parts.get(c);
      planes[c] =
          new JpegPlane(
              part.samples,
              part.stride,
              ceil(width * part.across, maxAcross),
              ceil(height * part.down, maxDown),
              maxAcross / part.across,
              maxDown / part.down);
    }
    return Arrays.stream(planes).allMatch(JpegPlane::isKnown)
        ? new JpegPixels(new ImageSize(width, height), planes, parallel)
        : null;
  }

  /** Runs for every row, on several threads where that pays. */
  static IntStream rows(int n, boolean parallel) {
    IntStream rows = IntStream.range(0, n);
    return parallel ? rows.parallel() : rows;
  }
}
