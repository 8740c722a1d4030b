package dev.ocellus.tests;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** State dicts as {@code torch.save} writes them, of BF16 tensors that are zero. */
public final class TinyPickle {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  private TinyPickle() {}

  /** The archive of today, of tensors of these shapes. */
  public static byte[] zip(Map<String, long[]> tensors) {
    Map<String, byte[]> entries = new LinkedHashMap<>();
    entries.put("archive/data.pkl", state(tensors, false));
    entries.put("archive/byteorder", "little".getBytes(StandardCharsets.US_ASCII));
    int key = 0;
    for (long[] shape : tensors.values()) {
      entries.put("archive/data/" + key++, new byte[(int) (2 * count(shape))]);
    }
    return zipped(entries);
  }

  /** The sequence of pickles of before PyTorch 1.6. */
  public static byte[] legacy(Map<String, long[]> tensors) {
    TinyPickle p = new TinyPickle();
    p.raw("\u0080\u0002\u008a\nl\u00fc\u009cF\u00f9 j\u00a8P\u0019.");
    p.raw("\u0080\u0002M\u00e9\u0003.\u0080\u0002}.");
    p.out.writeBytes(state(tensors, true));
    p.raw("\u0080\u0002](");
    for (int key = 0; key < tensors.size(); key++) {
      p.text("" + key);
    }
    p.raw("e.");
    for (long[] shape : tensors.values()) {
      p.number(count(shape), Long.BYTES);
      p.out.writeBytes(new byte[(int) (2 * count(shape))]);
    }
    return p.out.toByteArray();
  }

  /** Packs entries without compression. */
  public static byte[] zipped(Map<String, byte[]> entries) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      for (Map.Entry<String, byte[]> e : entries.entrySet()) {
        ZipEntry entry = new ZipEntry(e.getKey());
        CRC32 crc = new CRC32();
        crc.update(e.getValue());
        entry.setMethod(ZipEntry.STORED);
        entry.setSize(e.getValue().length);
        entry.setCrc(crc.getValue());
        zip.putNextEntry(entry);
        zip.write(e.getValue());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  private static byte[] state(Map<String, long[]> tensors, boolean legacy) {
    TinyPickle p = new TinyPickle();
    p.raw("\u0080\u0002ccollections\nOrderedDict\n)R(");
    int key = 0;
    for (Map.Entry<String, long[]> e : tensors.entrySet()) {
      p.text(e.getKey());
      p.raw("ctorch._utils\n_rebuild_tensor_v2\n((").text("storage");
      p.raw("ctorch\nBFloat16Storage\n").text("" + key++).text("cpu");
      p.integer(count(e.getValue())).raw(legacy ? "NtQ" : "tQ").integer(0).raw("(");
      for (long size : e.getValue()) {
        p.integer(size);
      }
      p.raw("t(");
      long stride = count(e.getValue());
      for (long size : e.getValue()) {
        stride /= size;
        p.integer(stride);
      }
      p.raw("t\u0089ccollections\nOrderedDict\n)RtR");
    }
    p.raw("u}").text("_metadata").raw("}sb.");
    return p.out.toByteArray();
  }

  private static long count(long[] shape) {
    long n = 1;
    for (long size : shape) {
      n *= size;
    }
    return n;
  }

  private TinyPickle raw(String latin1) {
    out.writeBytes(latin1.getBytes(StandardCharsets.ISO_8859_1));
    return this;
  }

  private TinyPickle text(String ascii) {
    raw("X").number(ascii.length(), Integer.BYTES);
    return raw(ascii);
  }

  private TinyPickle integer(long value) {
    raw("J").number(value, Integer.BYTES);
    return this;
  }

  private void number(long value, int bytes) {
    ByteBuffer buffer = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    out.write(buffer.putLong(value).array(), 0, bytes);
  }
}
