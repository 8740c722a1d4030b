package dev.ocellus.vlm.decode;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.vlm.vision.EncodedImage;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

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
   * @throws dev.ocellus.compute.ComputationCancelledException if the flag was set; some of them may
   *     have been computed
   */
  void decodeTokens(
      int[] ids, int from, int count, int position, int outputs, CancellationFlag flag);

  /**
   * Computes embeddings of an image.
   *
   * @param from the first of them
   * @param positions of every one, on every axis
   * @param causal whether each attends to those before it only, and not to all of them
   * @param wantsLogits whether the last one gets logits
   */
  void decodeEmbeddings(
      EncodedImage image,
      int from,
      int[][] positions,
      boolean causal,
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

  /** Whether {@link #removeFrom} can forget a part. Where not, checkpoints are needed. */
  default boolean canForget() {
    return true;
  }

  /**
   * Whether all is still there that a token at a position attends to. Sliding-window layers evict
   * older positions, and do not save them.
   */
  boolean hasPositionsBefore(int position);

  /**
   * Replaces the content by the longest beginning of the entries that another sequence holds, where
   * that costs nothing, or is computing now, which is waited for. What stands here and will not
   * stay may be kept for whoever begins so again. Followed by {@link #promptEnded}, however that
   * goes.
   *
   * @param present what stands here; none where nobody else may have it
   * @param have entries of the beginning that stand here already, and can stay
   * @param flag ends the wait when set
   * @return how many entries stand here now; 0 if nobody has more of them, and then nothing is
   *     changed
   */
  default int adoptPrefix(
      List<ContextEntry> present, List<ContextEntry> wanted, int have, CancellationFlag flag) {
    return 0;
  }

  /** Nothing more is computed of the prompt that was wanted, so that nobody need wait for it. */
  default void promptEnded() {}

  /**
   * Lets other sequences take over what stands here, until it is removed; where it cannot forget a
   * part, up to each of its checkpoints.
   */
  default void offer(List<ContextEntry> entries) {}

  /**
   * Keeps what {@link #removeFrom} cannot take back, as it is now; empty for a sequence that can
   * forget its end.
   *
   * @param position of what comes next
   * @param reuse a checkpoint of this sequence whose place is not needed any more, or null
   */
  default Optional<KvCheckpoint> checkpoint(int position, @Nullable KvCheckpoint reuse) {
    return Optional.empty();
  }

  /** Waits for what was started. */
  default void synchronize() {}

  /** Whether the context is gone. */
  boolean isClosed();

  /** Saves keys and values; empty if this sequence cannot do that. */
  default Optional<KvState> state() {
    return Optional.empty();
  }

  @Override
  void close();
}
