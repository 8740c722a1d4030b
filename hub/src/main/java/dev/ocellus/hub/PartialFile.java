package dev.ocellus.hub;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/**
 * A file that is being fetched, in parts, and how much of each is there. It outlives the process:
 * how far a part has come is written after its bytes, so that whoever goes on trusts no hole.
 */
final class PartialFile implements Closeable {
  private static final long MAGIC = 0x4f63656c6c757331L; // "Ocellus1"
  private static final int HEADER = 3;

  private final Path data;
  private final Path state;
  private final long size;
  private final long partSize;
  private final long[] done;
  private final FileChannel bytes;
  private final FileChannel marks;

  private PartialFile(Path data, long size, long partSize) throws IOException {
    this.data = data;
    this.state = stateOf(data);
    this.size = size;
    this.partSize = partSize;
    this.done = new long[Math.toIntExact(Math.ceilDiv(size, partSize))];
    boolean resumed = Files.exists(data) && readState();
    if (!resumed) {
      discard(data);
    }
    this.bytes =
        FileChannel.open(
            data, StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.CREATE);
    this.marks = FileChannel.open(state, StandardOpenOption.WRITE, StandardOpenOption.CREATE);
    if (!resumed) {
      mark(0, MAGIC);
      mark(1, size);
      mark(2, partSize);
    }
  }

  /** Goes on with what is there, if it is of the same size and parts; begins otherwise. */
  static PartialFile open(Path data, long size, long partSize) throws IOException {
    return new PartialFile(data, size, partSize);
  }

  /** Forgets what was fetched. */
  static void discard(Path data) throws IOException {
    Files.deleteIfExists(stateOf(data));
    Files.deleteIfExists(data);
  }

  private static Path stateOf(Path data) {
    return data.resolveSibling(data.getFileName() + ".state");
  }

  private boolean readState() throws IOException {
    if (!Files.isRegularFile(state)
        || Files.size(state) > (long) Long.BYTES * (HEADER + done.length)) {
      return false;
    }
    ByteBuffer saved = ByteBuffer.wrap(Files.readAllBytes(state));
    if (saved.remaining() < HEADER * Long.BYTES
        || saved.getLong() != MAGIC
        || saved.getLong() != size
        || saved.getLong() != partSize) {
      return false;
    }
    for (int i = 0; i < done.length && saved.remaining() >= Long.BYTES; i++) {
      done[i] = saved.getLong();
      if (done[i] < 0 || done[i] > length(i) || start(i) + done[i] > Files.size(data)) {
        java.util.Arrays.fill(done, 0);
        return false;
      }
    }
    return true;
  }

  int nParts() {
    return done.length;
  }

  long start(int part) {
    return part * partSize;
  }

  long length(int part) {
    return Math.min(partSize, size - start(part));
  }

  synchronized long done(int part) {
    return done[part];
  }

  /** Bytes that are there. */
  synchronized long done() {
    long sum = 0;
    for (long d : done) {
      sum += d;
    }
    return sum;
  }

  /** Bytes from the beginning without a hole. */
  synchronized long contiguous() {
    int i = 0;
    while (i < done.length && done[i] == length(i)) {
      i++;
    }
    return i == done.length ? size : start(i) + done[i];
  }

  /** Adds bytes to a part. */
  void append(int part, ByteBuffer more) throws IOException {
    long at = done(part);
    int n = more.remaining();
    while (more.hasRemaining()) {
      bytes.write(more, start(part) + at + n - more.remaining());
    }
    setDone(part, at + n);
  }

  /** A part begins anew. */
  void restart(int part) throws IOException {
    setDone(part, 0);
  }

  private synchronized void setDone(int part, long n) throws IOException {
    done[part] = n;
    mark(HEADER + part, n);
  }

  private void mark(int index, long value) throws IOException {
    marks.write(ByteBuffer.allocate(Long.BYTES).putLong(0, value), (long) index * Long.BYTES);
  }

  /** Reads what is there. */
  int read(ByteBuffer into, long position) throws IOException {
    return bytes.read(into, position);
  }

  /** Gives the complete file its name. */
  void finish(Path as) throws IOException {
    bytes.force(true);
    bytes.close();
    marks.close();
    Files.move(data, as, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    Files.deleteIfExists(state);
  }

  @Override
  public void close() throws IOException {
    bytes.close();
    marks.close();
  }
}
