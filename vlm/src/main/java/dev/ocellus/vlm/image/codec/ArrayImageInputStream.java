package dev.ocellus.vlm.image.codec;

import dev.ocellus.vlm.image.ImageFormatException;
import java.io.IOException;
import javax.imageio.stream.ImageInputStreamImpl;

/**
 * A file in memory for an ImageIO reader: no disk cache, and an end to patience. A reader that
 * keeps reading or jumping about, as one in a loop of offsets does, is stopped by an exception.
 */
final class ArrayImageInputStream extends ImageInputStreamImpl {
  /** Bytes that may be read per byte of the file, and calls on top, before it is a loop. */
  private static final long REREADS = 64;

  private static final long CALLS = 1 << 22;

  /** What a read beyond the end costs of these: a good file is not read there again and again. */
  private static final long BEYOND_END = CALLS / 2048;

  private final byte[] data;
  private long budget;

  ArrayImageInputStream(byte[] data) {
    this.data = data;
    this.budget = CALLS + REREADS * data.length;
  }

  @Override
  public int read() throws IOException {
    checkClosed();
    bitOffset = 0;
    spend(streamPos < data.length ? 1 : BEYOND_END);
    return streamPos < data.length ? data[(int) streamPos++] & 0xFF : -1;
  }

  @Override
  public int read(byte[] to, int at, int length) throws IOException {
    checkClosed();
    bitOffset = 0;
    if (length == 0) {
      return 0;
    }
    int n = (int) Math.min(length, data.length - streamPos);
    spend(n > 0 ? 1 + n : BEYOND_END);
    if (n <= 0) {
      return -1;
    }
    System.arraycopy(data, (int) streamPos, to, at, n);
    streamPos += n;
    return n;
  }

  @Override
  public void seek(long pos) throws IOException {
    spend(1);
    super.seek(pos);
  }

  @Override
  public long length() {
    return data.length;
  }

  private void spend(long amount) {
    budget -= amount;
    if (budget < 0) {
      throw ImageFormatException.corrupt("the file leads its reader in circles or beyond its end");
    }
  }
}
