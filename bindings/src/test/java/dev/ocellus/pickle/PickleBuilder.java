package dev.ocellus.pickle;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** Writes pickles instruction by instruction, as no Python would. */
final class PickleBuilder {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  /** Instructions and bytes as they are. */
  PickleBuilder raw(String latin1) {
    out.writeBytes(latin1.getBytes(StandardCharsets.ISO_8859_1));
    return this;
  }

  PickleBuilder text(String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    return raw("X").int32(utf8.length).raw(new String(utf8, StandardCharsets.ISO_8859_1));
  }

  PickleBuilder number(int value) {
    return raw("J").int32(value);
  }

  PickleBuilder large(long value) {
    return raw("\u008a\b").int64(value);
  }

  PickleBuilder int32(int value) {
    out.writeBytes(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array());
    return this;
  }

  PickleBuilder int64(long value) {
    out.writeBytes(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array());
    return this;
  }

  PickleBuilder global(String module, String name) {
    return raw("c" + module + "\n" + name + "\n");
  }

  /** A tensor of floats on storage "0". */
  PickleBuilder tensor(long stored, long offset, long size, long stride) {
    return global("torch._utils", "_rebuild_tensor_v2")
        .raw("((")
        .text("storage")
        .global("torch", "FloatStorage")
        .text("0")
        .text("cpu")
        .large(stored)
        .raw("tQ")
        .large(offset)
        .large(size)
        .raw("\u0085")
        .large(stride)
        .raw("\u0085\u0089NtR");
  }

  byte[] bytes() {
    return out.toByteArray();
  }

  /** Writes it as the value of an archive with one storage of three floats. */
  Path zip(Path to) throws IOException {
    Map<String, byte[]> entries = new LinkedHashMap<>();
    entries.put("archive/data.pkl", bytes());
    entries.put("archive/data/0", new byte[12]);
    return zip(to, entries);
  }

  static Path zip(Path to, Map<String, byte[]> entries) throws IOException {
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(to))) {
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
    }
    return to;
  }
}
