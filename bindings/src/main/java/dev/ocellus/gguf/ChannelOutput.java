package dev.ocellus.gguf;

import dev.ocellus.io.Channels;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;

/** Little-endian output with a buffer that counts what it has taken. */
final class ChannelOutput {
  private static final int BUFFER_BYTES = 1 << 16;

  private final WritableByteChannel channel;
  private final ByteBuffer buffer =
      ByteBuffer.allocateDirect(BUFFER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
  private long flushed;

  ChannelOutput(WritableByteChannel channel) {
    this.channel = channel;
  }

  long position() {
    return flushed + buffer.position();
  }

  void i32(int v) throws IOException {
    room(4);
    buffer.putInt(v);
  }

  void i64(long v) throws IOException {
    room(8);
    buffer.putLong(v);
  }

  void bytes(byte[] b) throws IOException {
    segment(MemorySegment.ofArray(b));
  }

  void string(byte[] utf8) throws IOException {
    i64(utf8.length);
    bytes(utf8);
  }

  void value(GgufValue value) throws IOException {
    i32(value.type().id());
    switch (value) {
      case GgufValue.Int v -> {
        room(8);
        Encoding.putInteger(buffer, v);
      }
      case GgufValue.Real v -> {
        if (v.type() == MetadataType.F32) {
          i32(Float.floatToRawIntBits((float) v.value()));
        } else {
          i64(Double.doubleToRawLongBits(v.value()));
        }
      }
      case GgufValue.Bool v -> {
        room(1);
        buffer.put((byte) (v.value() ? 1 : 0));
      }
      case GgufString v -> {
        i64(v.byteLength());
        segment(v.segment());
      }
      case GgufArray v -> {
        i32(v.elementType().id());
        i64(v.length());
        segment(v.segment());
      }
    }
  }

  /** Copies through the own buffer: one path for heap, mapped and huge segments. */
  void segment(MemorySegment s) throws IOException {
    long done = 0;
    while (done < s.byteSize()) {
      room(1);
      int n = (int) Math.min(buffer.remaining(), s.byteSize() - done);
      MemorySegment.copy(
          s,
          ValueLayout.JAVA_BYTE,
          done,
          MemorySegment.ofBuffer(buffer),
          ValueLayout.JAVA_BYTE,
          0,
          n);
      buffer.position(buffer.position() + n);
      done += n;
    }
  }

  void padTo(int alignment) throws IOException {
    long end = GgufParser.pad(position(), alignment);
    while (position() < end) {
      room(1);
      buffer.put((byte) 0);
    }
  }

  private void room(int bytes) throws IOException {
    if (buffer.remaining() < bytes) {
      flush();
    }
  }

  void flush() throws IOException {
    int n = buffer.position();
    buffer.flip();
    Channels.write(channel, buffer);
    buffer.clear();
    flushed += n;
  }
}
