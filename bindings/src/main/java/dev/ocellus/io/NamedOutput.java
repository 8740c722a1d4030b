package dev.ocellus.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Path;

/**
 * A channel whose failures name the file, where those of the system say "No space left on device"
 * and nothing else.
 */
final class NamedOutput implements SeekableByteChannel {
  private final FileChannel channel;
  private final Path name;

  /**
   * @param name the path as it was given
   */
  NamedOutput(FileChannel channel, Path name) {
    this.channel = channel;
    this.name = name;
  }

  private interface Step<T> {
    T run() throws IOException;
  }

  private <T> T named(Step<T> step) throws IOException {
    try {
      return step.run();
    } catch (FileSystemException | ClosedChannelException e) {
      throw e; // names a file, or says that a thread was interrupted
    } catch (IOException e) {
      throw (IOException)
          new FileSystemException(name.toString(), null, "cannot be written: " + e.getMessage())
              .initCause(e);
    }
  }

  @Override
  public int write(ByteBuffer bytes) throws IOException {
    return named(() -> channel.write(bytes));
  }

  /** Has everything on the disk. */
  void force() throws IOException {
    named(() -> {
      channel.force(true);
      return true;
    });
  }

  @Override
  public SeekableByteChannel position(long place) throws IOException {
    named(() -> channel.position(place));
    return this;
  }

  @Override
  public SeekableByteChannel truncate(long size) throws IOException {
    named(() -> channel.truncate(size));
    return this;
  }

  @Override
  public int read(ByteBuffer bytes) throws IOException {
    return channel.read(bytes);
  }

  @Override
  public long position() throws IOException {
    return channel.position();
  }

  @Override
  public long size() throws IOException {
    return channel.size();
  }

  @Override
  public boolean isOpen() {
    return channel.isOpen();
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
