package dev.ocellus.vlm.generate;

import dev.ocellus.io.Sha256;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.security.MessageDigest;

/** Writes to a file and takes the SHA-256 of what was written. */
final class HashingChannel implements WritableByteChannel {
  private final FileChannel channel;
  private final MessageDigest digest = Sha256.digest();

  HashingChannel(FileChannel channel) {
    this.channel = channel;
  }

  @Override
  public int write(ByteBuffer bytes) throws IOException {
    digest.update(bytes.duplicate());
    int n = bytes.remaining();
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
    return n;
  }

  byte[] digest() {
    return digest.digest();
  }

  @Override
  public boolean isOpen() {
    return channel.isOpen();
  }

  @Override
  public void close() {
    // the file is the caller's
  }
}
