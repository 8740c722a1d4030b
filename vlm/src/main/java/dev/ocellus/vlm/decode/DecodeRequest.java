package dev.ocellus.vlm.decode;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.ggml.Thrown;
import dev.ocellus.vlm.vision.EncodedImage;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/** Tokens or image embeddings that a sequence wants to have computed, possibly in several steps. */
abstract sealed class DecodeRequest {
  final BatchedSequence sequence;
  final CancellationFlag flag;

  private final CountDownLatch done = new CountDownLatch(1);
  private volatile @Nullable Throwable failure;

  /** How much of it is computed. Used by the scheduler's thread only. */
  int progress;

  private DecodeRequest(BatchedSequence sequence, CancellationFlag flag) {
    this.sequence = sequence;
    this.flag = flag;
  }

  /** How many entries it has. */
  abstract int count();

  /** How many of the last ones get logits. */
  abstract int outputs();

  int remaining() {
    return count() - progress;
  }

  /** Says that all is computed. Allocates nothing, so that it works when memory has run out. */
  void complete() {
    done.countDown();
  }

  /** Says that it could not be computed; of no effect when it is done. Allocates nothing. */
  void fail(Throwable cause) {
    if (done.getCount() > 0) {
      failure = cause;
      done.countDown();
    }
  }

  /** Waits until all is computed, and throws what it failed with. Interrupts do not end it. */
  void await() {
    boolean interrupted = false;
    while (true) {
      try {
        done.await();
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    Thrown.rethrow(failure);
  }

  boolean wantsLogits(int i) {
    return i >= count() - outputs();
  }

  /** Tokens from a position on. */
  static final class Tokens extends DecodeRequest {
    final int[] ids;
    final int position;
    private final int outputs;

    /**
     * @param ids not changed by the caller until this is done
     */
    Tokens(BatchedSequence sequence, int[] ids, int position, int outputs, CancellationFlag flag) {
      super(sequence, flag);
      this.ids = ids;
      this.position = position;
      this.outputs = outputs;
    }

    @Override
    int count() {
      return ids.length;
    }

    @Override
    int outputs() {
      return outputs;
    }
  }

  /** Embeddings of an image. */
  static final class Embeddings extends DecodeRequest {
    final EncodedImage image;
    final int from;
    final int[][] positions;
    final boolean causal;
    private final boolean wantsLogits;

    Embeddings(
        BatchedSequence sequence,
        EncodedImage image,
        int from,
        int[][] positions,
        boolean causal,
        boolean wantsLogits,
        CancellationFlag flag) {
      super(sequence, flag);
      this.image = image;
      this.from = from;
      this.positions = positions;
      this.causal = causal;
      this.wantsLogits = wantsLogits;
    }

    @Override
    int count() {
      return positions.length;
    }

    @Override
    int outputs() {
      return wantsLogits ? 1 : 0;
    }
  }
}
