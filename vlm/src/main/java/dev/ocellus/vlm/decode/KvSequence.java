package dev.ocellus.vlm.decode;

import dev.ocellus.ggml.CancellationFlag;
import dev.ocellus.llama.SequencePlaces;
import dev.ocellus.vlm.vision.EncodedImage;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.util.List;

/**
 * One sequence of a context: where the keys and values of a conversation lie. Whether others share
 * the context makes no difference to who fills it.
 *
 * <p>For one thread at a time.
 */
public interface KvSequence extends AutoCloseable {
  /** Places that it has. */
  int nCtx();

  /** Most entries of one call. */
  int nBatch();

  /** Most entries that are computed at once. */
  int nUbatch();

  /**
   * Computes tokens.
   *
   * @param position of the first
   * @param outputs how many at the end of them get logits
   * @throws dev.ocellus.ggml.ComputationCancelledException if the flag was set; some of them may
   *     have been computed
   */
  void tokens(int[] ids, int from, int count, int position, int outputs, CancellationFlag flag);

  /**
   * Computes rows of an image.
   *
   * @param positions of every row, on every axis
   * @param seeEachOther whether all see all, and not only those before
   * @param wantsLogits whether the last one gets logits
   */
  void rows(
      EncodedImage image,
      int from,
      int[][] positions,
      boolean seeEachOther,
      boolean wantsLogits,
      CancellationFlag flag);

  /**
   * Logits of the last call, which the caller may change; valid until the next call.
   *
   * @param i which of the outputs
   */
  float[] logits(int i);

  /**
   * Forgets everything from a position on.
   *
   * @return false if the model's memory cannot forget a part, and then nothing is forgotten
   */
  boolean removeFrom(int position);

  /**
   * Whether all is still there that a token at a position sees. Layers with a window give older
   * places away, and do not save them.
   */
  boolean hasPositionsBefore(int position);

  /**
   * Replaces the content by the longest beginning of the entries that another lane holds, where
   * that costs nothing.
   *
   * @param have entries of that beginning that stand here already
   * @return how many entries stand here now; 0 if nobody has more of them, and then nothing is
   *     changed
   */
  default int adoptPrefix(List<ContextEntry> wanted, int have) {
    return 0;
  }

  /** Lets other lanes take over what stands here, until it is removed. */
  default void offer(List<ContextEntry> entries) {}

  /** Waits for what was started. */
  void synchronize();

  /** Whether the context is gone. */
  boolean isClosed();

  /** Writes keys and values at the channel's position. */
  void writeState(WritableByteChannel channel) throws IOException;

  /**
   * Brings keys and values back that {@link #writeState} wrote.
   *
   * @param places what stands in them
   * @return false if they do not fit this context, which is then empty
   * @throws dev.ocellus.llama.StateFormatException if they are not those of such places, and then
   *     nothing is changed
   */
  boolean readState(FileChannel channel, long offset, long length, SequencePlaces places)
      throws IOException;

  /** Most bytes of keys and values of so many places. */
  long maxStateLength(int nPlaces);

  /** What {@link #readState} depends on besides the model. */
  String stateKind();

  @Override
  void close();
}
