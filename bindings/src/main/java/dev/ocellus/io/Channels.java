package dev.ocellus.io;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;

/** Reads and writes all of a buffer, where a channel may do so in parts. */
public final class Channels {
  private Channels() {}

  /** Writes what is left in a buffer at the channel's position. */
  public static void write(WritableByteChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }

  /**
   * Fills what is left in a buffer from a place of a file; the channel's position stays.
   *
   * @throws EOFException if the file ends before
   */
  public static void read(FileChannel channel, long from, ByteBuffer bytes) throws IOException {
    int start = bytes.position();
    while (bytes.hasRemaining()) {
      if (channel.read(bytes, from + bytes.position() - start) < 0) {
        throw new EOFException("the file became shorter while it was read");
      }
    }
  }
}
