package dev.ocellus.vlm.decode;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.util.List;
import java.util.Optional;

/**
 * Saves the keys and values of a sequence, with its recurrent states where it has some, and brings
 * them back, for sequences that can do that. A conversation in one that cannot is saved as well,
 * and computed again when it goes on.
 */
public interface KvState {
  /** What {@link #read} depends on besides the model. */
  String kind();

  /** Most bytes of so many places. */
  long maxLength(int nPlaces);

  /** Writes keys and values at the channel's position. */
  void write(WritableByteChannel channel) throws IOException;

  /**
   * Brings keys and values back that {@link #write} wrote.
   *
   * @param entries what they were computed for
   * @return false if they do not fit this context, which is then empty
   * @throws dev.ocellus.llama.StateFormatException if they are not those of such entries, and then
   *     nothing is changed
   */
  boolean read(FileChannel channel, long offset, long length, List<ContextEntry> entries)
      throws IOException;

  /**
   * Brings a checkpoint back that {@link KvCheckpoint#write} wrote. The sequence is not changed,
   * and must hold what stood before the checkpoint when it is restored.
   *
   * @param before what stands before it
   * @return empty if it holds numbers that are not finite
   * @throws dev.ocellus.llama.StateFormatException if it is none of such a place
   */
  Optional<KvCheckpoint> readCheckpoint(
      FileChannel channel, long offset, long length, List<ContextEntry> before) throws IOException;
}
