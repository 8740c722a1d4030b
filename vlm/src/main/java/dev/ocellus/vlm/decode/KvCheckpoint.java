package dev.ocellus.vlm.decode;

import java.io.IOException;
import java.nio.channels.WritableByteChannel;

/**
 * A place of a sequence to which it can go back although its memory cannot forget a part by itself:
 * a copy of its recurrent states there.
 */
public interface KvCheckpoint extends AutoCloseable {
  /** Bytes that it takes. */
  long bytes();

  /**
   * Brings the sequence back, which must still hold what stood before the place.
   *
   * @return false if that failed, and then the sequence must be emptied
   */
  boolean restore();

  /** Writes it at a channel's position, {@link #bytes} of them. */
  void write(WritableByteChannel channel) throws IOException;

  @Override
  void close();
}
