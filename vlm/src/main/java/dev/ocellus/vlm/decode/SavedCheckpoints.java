package dev.ocellus.vlm.decode;

import dev.ocellus.io.Channels;
import dev.ocellus.llama.StateFormatException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.util.ArrayList;
import java.util.List;

/**
 * The last checkpoints of a conversation beside its saved state: what a model with recurrent states
 * needs to answer the last question again, or another one in its place, or to go on where the
 * template leaves something of the last answer out, without computing all from the beginning.
 *
 * <p>Little-endian: how many, for each the number of entries before it and its length, and then all
 * of them behind each other.
 */
public final class SavedCheckpoints implements AutoCloseable {
  /** Before the last question, behind its image, before the last answer. */
  private static final int MAX = 3;

  private static final int COUNT_BYTES = Integer.BYTES;
  private static final int PLACE_BYTES = Integer.BYTES + Long.BYTES;

  private final List<Checkpoints.Entry> read;

  private SavedCheckpoints(List<Checkpoints.Entry> read) {
    this.read = read;
  }

  /** Writes the last checkpoints at a channel's position; nothing where there are none. */
  public static void write(PromptCache cache, WritableByteChannel channel) throws IOException {
    List<Checkpoints.Entry> last = cache.checkpoints().kept();
    last = last.subList(Math.max(0, last.size() - MAX), last.size());
    if (last.isEmpty()) {
      return;
    }
    ByteBuffer places = little(COUNT_BYTES + last.size() * PLACE_BYTES).putInt(last.size());
    last.forEach(entry -> places.putInt(entry.nEntries()).putLong(entry.state().bytes()));
    Channels.write(channel, places.flip());
    for (Checkpoints.Entry entry : last) {
      entry.state().write(channel);
    }
  }

  /**
   * Reads and checks what {@link #write} wrote; the sequence is not changed. Those with numbers
   * that are not finite are left out, with all before them.
   *
   * @param entries what stands in the saved sequence
   * @throws StateFormatException if they are not those of such a sequence
   */
  public static SavedCheckpoints read(
      KvState state, FileChannel channel, long offset, long length, List<ContextEntry> entries)
      throws IOException {
    List<Checkpoints.Entry> read = new ArrayList<>();
    var checkpoints = new SavedCheckpoints(read);
    if (length == 0) {
      return checkpoints;
    }
    try {
      ByteBuffer places = places(channel, offset, length);
      long at = offset + places.limit();
      int before = 0;
      while (places.hasRemaining()) {
        int nEntries = places.getInt();
        if (nEntries <= before || nEntries > entries.size()) {
          throw wrong("entries", "%d to %d".formatted(before + 1, entries.size()), nEntries);
        }
        long bytes = places.getLong();
        List<ContextEntry> prefix = entries.subList(0, nEntries);
        int nPlaces = ContextEntry.placesOf(prefix);
        var found = state.readCheckpoint(channel, at, bytes, prefix);
        if (found.isEmpty()) {
          checkpoints.close();
        }
        found.ifPresent(c -> read.add(new Checkpoints.Entry(nEntries, nPlaces, c)));
        before = nEntries;
        at += bytes;
      }
      if (at != offset + length) {
        throw wrong("bytes", "" + (at - offset), length);
      }
      return checkpoints;
    } catch (Throwable e) {
      checkpoints.close();
      throw e;
    }
  }

  private static ByteBuffer places(FileChannel channel, long offset, long length)
      throws IOException {
    ByteBuffer count = little(COUNT_BYTES);
    fill(channel, offset, length, count);
    int n = count.getInt();
    if (n < 1 || n > MAX) {
      throw wrong("number", "1 to " + MAX, n);
    }
    ByteBuffer places = little(COUNT_BYTES + n * PLACE_BYTES);
    fill(channel, offset, length, places);
    return places.position(COUNT_BYTES);
  }

  private static void fill(FileChannel channel, long offset, long length, ByteBuffer bytes)
      throws IOException {
    if (length < bytes.capacity()) {
      throw wrong("bytes", "at least " + bytes.capacity(), length);
    }
    Channels.read(channel, offset, bytes);
    bytes.flip();
  }

  private static ByteBuffer little(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static StateFormatException wrong(String what, String expected, long found) {
    return new StateFormatException(
        "checkpoints, %s: expected %s, found %d".formatted(what, expected, found));
  }

  /** Hands them over to a conversation whose state was restored. */
  public void addTo(PromptCache cache) {
    read.forEach(e -> cache.checkpoints().add(e.nEntries(), e.nPlaces(), e.state()));
    read.clear();
  }

  /** Frees the memory of those that were not handed over. */
  @Override
  public void close() {
    read.forEach(entry -> entry.state().close());
    read.clear();
  }
}
