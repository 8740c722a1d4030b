package dev.ocellus.gguf;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Puts a GGUF header together field by field, right or wrong, which {@link GgufWriter} refuses. */
final class RawGguf {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  /** Magic, version 3 and the counts. */
  static RawGguf of(long nTensors, long nMetadata) {
    return new RawGguf()
        .raw("GGUF".getBytes(StandardCharsets.US_ASCII))
        .i32(3)
        .i64(nTensors)
        .i64(nMetadata);
  }

  RawGguf raw(byte... bytes) {
    out.writeBytes(bytes);
    return this;
  }

  RawGguf i32(int v) {
    return raw(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(v).array());
  }

  RawGguf i64(long v) {
    return raw(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(v).array());
  }

  RawGguf string(String s) {
    byte[] b = s.getBytes(StandardCharsets.UTF_8);
    return i64(b.length).raw(b);
  }

  RawGguf key(String key, MetadataType type) {
    return string(key).i32(type.id());
  }

  RawGguf tensor(String name, int type, long offset, long... shape) {
    string(name).i32(shape.length);
    for (long d : shape) {
      i64(d);
    }
    return i32(type).i64(offset);
  }

  /** Pads to the alignment and appends zeros as data. */
  RawGguf data(int alignment, int bytes) {
    int pad = -out.size() & (alignment - 1);
    return raw(new byte[pad + bytes]);
  }

  byte[] bytes() {
    return out.toByteArray();
  }

  Path write(Path directory) throws IOException {
    Path p = Files.createTempFile(directory, "raw", ".gguf");
    return Files.write(p, bytes());
  }
}
