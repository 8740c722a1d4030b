package dev.ocellus.quantize;

import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufTensor;
import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Map;

/**
 * Reads tensor data from the files of a model. Unlike pages of the mapping, what was read does not
 * stay in the memory of this process. Safe for use by several threads.
 */
final class SourceFiles implements AutoCloseable {
  private final Map<Path, FileChannel> channels = new HashMap<>();

  /** Opens all files of a model. */
  SourceFiles(GgufFile file) throws IOException {
    boolean ok = false;
    try {
      for (Path path : file.files()) {
        channels.put(path, FileChannel.open(path, StandardOpenOption.READ));
      }
      ok = true;
    } finally {
      if (!ok) {
        close();
      }
    }
  }

  /** Fills {@code to} with the bytes of a tensor from {@code offset} on. */
  void read(GgufTensor tensor, long offset, MemorySegment to) throws IOException {
    FileChannel channel = channels.get(tensor.file());
    if (channel == null) {
      throw new IllegalArgumentException(tensor.name() + " is of another model");
    }
    for (long done = 0; done < to.byteSize(); ) {
      ByteBuffer buffer = to.asSlice(done, Math.min(1 << 30, to.byteSize() - done)).asByteBuffer();
      int n = channel.read(buffer, tensor.offset() + offset + done);
      if (n < 0) {
        throw new EOFException(
            "%s ends within tensor %s; it was changed meanwhile"
                .formatted(tensor.file(), tensor.name()));
      }
      done += n;
    }
  }

  @Override
  public void close() throws IOException {
    for (FileChannel channel : channels.values()) {
      channel.close();
    }
  }
}
