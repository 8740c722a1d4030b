package dev.ocellus.pickle;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The entries of a ZIP archive, and where in the file their bytes are, which {@link
 * java.util.zip.ZipFile} does not tell. Entries share no byte with each other; only those can be
 * read that are stored without compression, as PyTorch stores tensors.
 *
 * <p>Format: <a href="https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT">APPNOTE</a>.
 */
final class ZipDirectory {
  private static final ValueLayout.OfInt I32 =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong I64 =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort I16 =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private static final int END = 0x06054b50;
  private static final int END_BYTES = 22;
  private static final int END64_LOCATOR = 0x07064b50;
  private static final int END64_LOCATOR_BYTES = 20;
  private static final int END64 = 0x06064b50;
  private static final int END64_BYTES = 56;
  private static final int CENTRAL = 0x02014b50;
  private static final int CENTRAL_BYTES = 46;
  private static final int LOCAL = 0x04034b50;
  private static final int LOCAL_BYTES = 30;
  private static final int ENCRYPTED = 1;
  private static final int MAX_COMMENT = 0xffff;
  private static final int ZIP64 = 1;
  private static final long IN_ZIP64 = 0xffff_ffffL;
  private static final int MAX_ENTRIES = 1 << 19;

  /**
   * An entry: its header begins at {@code header}, its data are {@code begin} to {@code end}.
   *
   * @param plain whether the data are the entry's bytes, neither compressed nor encrypted
   */
  private record Entry(String name, long header, long begin, long end, boolean plain) {}

  private final Path file;
  private final MemorySegment zip;
  private final Map<String, Entry> entries = new LinkedHashMap<>();

  private ZipDirectory(Path file, MemorySegment zip) {
    this.file = file;
    this.zip = zip;
  }

  /**
   * @throws PickleFormatException if it is damaged, or not as PyTorch writes it
   */
  static ZipDirectory read(Path file, MemorySegment zip) {
    ZipDirectory out = new ZipDirectory(file, zip);
    out.readEntries();
    out.requireApart();
    return out;
  }

  /** Names of all entries, in the order of the directory. */
  List<String> names() {
    return List.copyOf(entries.keySet());
  }

  boolean contains(String name) {
    return entries.containsKey(name);
  }

  /** The bytes of an entry. */
  MemorySegment data(String name) {
    Entry e = entries.get(name);
    if (e == null) {
      throw bad("archive", "an entry " + PickleFormatException.quote(name), "none of this name");
    }
    if (!e.plain) {
      throw new PickleFormatException(
          file,
          "entry " + PickleFormatException.quote(name),
          "bytes that are stored as they are, as PyTorch writes them",
          "compressed or encrypted ones",
          "Load the file in PyTorch and save it again.");
    }
    return zip.asSlice(e.begin, e.end - e.begin);
  }

  private void readEntries() {
    long end = findEnd();
    long count = u16(end + 10);
    long bytes = u32(end + 12);
    long start = u32(end + 16);
    long limit = end;
    long locator = end - END64_LOCATOR_BYTES;
    if (locator >= 0 && zip.get(I32, locator) == END64_LOCATOR) {
      long end64 = i64(locator + 8);
      require(end64, END64_BYTES, locator, "end of the directory");
      if (zip.get(I32, end64) != END64) {
        throw bad("end of the directory", "its signature", "another");
      }
      count = i64(end64 + 32);
      bytes = i64(end64 + 40);
      start = i64(end64 + 48);
      limit = end64;
    }
    require(start, bytes, limit, "directory");
    if (count < 0 || count > MAX_ENTRIES || count > bytes / CENTRAL_BYTES) {
      throw bad(
          "directory",
          "at most %d entries".formatted(Math.min(MAX_ENTRIES, bytes / CENTRAL_BYTES)),
          Long.toUnsignedString(count));
    }
    long at = start;
    for (long i = 0; i < count; i++) {
      at = readEntry(at, start + bytes);
    }
  }

  private long findEnd() {
    long last = zip.byteSize() - END_BYTES;
    for (long at = last; at >= Math.max(0, last - MAX_COMMENT); at--) {
      if (zip.get(I32, at) == END && u16(at + 20) == last - at) {
        return at;
      }
    }
    throw bad("archive", "a directory at its end", "none, so the file is not whole");
  }

  private long readEntry(long at, long limit) {
    require(at, CENTRAL_BYTES, limit, "directory");
    if (zip.get(I32, at) != CENTRAL) {
      throw bad("directory", "an entry at byte " + at, "something else");
    }
    int nameBytes = u16(at + 28);
    int extraBytes = u16(at + 30);
    long next = at + CENTRAL_BYTES + nameBytes + extraBytes + u16(at + 32);
    require(at, next - at, limit, "directory");
    byte[] nameInUtf8 = zip.asSlice(at + CENTRAL_BYTES, nameBytes).toArray(ValueLayout.JAVA_BYTE);
    String name = new String(nameInUtf8, StandardCharsets.UTF_8);
    String what = "entry " + PickleFormatException.quote(name);
    long[] sizes = {u32(at + 24), u32(at + 20), u32(at + 42)};
    readExtra(at + CENTRAL_BYTES + nameBytes, extraBytes, sizes, what);
    boolean plain = u16(at + 10) == 0 && (u16(at + 8) & ENCRYPTED) == 0;
    if (plain && sizes[0] != sizes[1]) {
      throw bad(what, "one size", "two: %d and %d bytes".formatted(sizes[0], sizes[1]));
    }
    if (entries.put(name, entry(name, sizes[2], sizes[1], plain)) != null) {
      throw bad(what, "one of this name", "two");
    }
    return next;
  }

  /** Replaces sizes that do not fit 32 bits: whole, compressed, place of the header. */
  private void readExtra(long at, int bytes, long[] sizes, String what) {
    long end = at + bytes;
    long field = at;
    while (field + 4 <= end) {
      long next = field + 4 + u16(field + 2);
      if (u16(field) == ZIP64) {
        long from = field + 4;
        for (int i = 0; i < sizes.length; i++) {
          if (sizes[i] == IN_ZIP64) {
            require(from, 8, Math.min(end, next), what);
            sizes[i] = i64(from);
            from += 8;
          }
        }
        return;
      }
      field = next;
    }
  }

  private Entry entry(String name, long header, long size, boolean plain) {
    String what = "entry " + PickleFormatException.quote(name);
    require(header, LOCAL_BYTES, zip.byteSize(), what);
    if (zip.get(I32, header) != LOCAL) {
      throw bad(what, "its header at byte " + header, "something else");
    }
    long begin = header + LOCAL_BYTES + u16(header + 26) + u16(header + 28);
    require(begin, size, zip.byteSize(), what);
    return new Entry(name, header, begin, begin + size, plain);
  }

  /** Entries that overlap make a small file stand for any amount of data. */
  private void requireApart() {
    List<Entry> sorted = new ArrayList<>(entries.values());
    sorted.sort(Comparator.comparingLong(Entry::header));
    for (int i = 1; i < sorted.size(); i++) {
      Entry before = sorted.get(i - 1);
      if (before.end > sorted.get(i).header) {
        throw bad(
            "entry " + PickleFormatException.quote(sorted.get(i).name),
            "bytes of its own",
            "bytes shared with " + PickleFormatException.quote(before.name));
      }
    }
  }

  private void require(long at, long bytes, long limit, String what) {
    if (at < 0 || bytes < 0 || at > limit || bytes > limit - at) {
      throw bad(
          what,
          "bytes before " + limit,
          "%s from %s on".formatted(Long.toUnsignedString(bytes), Long.toUnsignedString(at)));
    }
  }

  private int u16(long at) {
    return zip.get(I16, at) & 0xffff;
  }

  private long u32(long at) {
    return zip.get(I32, at) & 0xffff_ffffL;
  }

  private long i64(long at) {
    return zip.get(I64, at);
  }

  private PickleFormatException bad(String what, String expected, String found) {
    return new PickleFormatException(file, what, expected, found);
  }
}
