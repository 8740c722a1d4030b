package dev.ocellus.vlm.decode;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.vlm.vision.EncodedImage;
import java.nio.channels.WritableByteChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A sequence without a model: it notes what stands at every place, and fails when told to, before
 * or after the work of a call was done.
 */
final class RecordingSequence implements KvSequence {
  private final List<Object> places = new ArrayList<>();
  private final boolean recurrent;
  private int calls;
  private int firstFailure = Integer.MAX_VALUE;
  private int nFailures;
  private boolean failsAfterwards;
  private Supplier<Throwable> failure = () -> new AssertionError("not set");

  /**
   * @param recurrent whether it cannot forget a part of what stands in it, but for checkpoints
   */
  RecordingSequence(boolean recurrent) {
    this.recurrent = recurrent;
  }

  /** Fails so many times in a row, from the call of this number on, counted from now. */
  void failAt(int call, int times, boolean afterwards, Supplier<Throwable> cause) {
    this.firstFailure = calls + call;
    this.nFailures = times;
    this.failsAfterwards = afterwards;
    this.failure = cause;
  }

  /** Whether a failure is still to come. */
  boolean isArmed() {
    return calls <= firstFailure;
  }

  void disarm() {
    firstFailure = Integer.MAX_VALUE;
  }

  /** Tokens as numbers, embeddings as their key with a row. */
  List<Object> places() {
    return List.copyOf(places);
  }

  private void call(Runnable work) {
    boolean fails = calls >= firstFailure && calls - firstFailure < nFailures;
    calls++;
    if (!fails || failsAfterwards) {
      work.run();
    }
    if (fails) {
      throwUnchecked(failure.get());
    }
  }

  @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
  private static <E extends Throwable> void throwUnchecked(Throwable e) throws E {
    throw (E) e;
  }

  private void put(int position, Object what) {
    if (position != places.size()) {
      throw new IllegalStateException(
          "position %d follows %d places".formatted(position, places.size()));
    }
    places.add(what);
  }

  @Override
  public int nCtx() {
    return 64;
  }

  @Override
  public int nBatch() {
    return 4;
  }

  @Override
  public int nUbatch() {
    return 4;
  }

  @Override
  public void decodeTokens(
      int[] ids, int from, int count, int position, int outputs, CancellationFlag flag) {
    call(() -> {
      for (int i = 0; i < count; i++) {
        put(position + i, ids[from + i]);
      }
    });
  }

  @Override
  public void decodeEmbeddings(
      EncodedImage image,
      int from,
      int[][] positions,
      boolean causal,
      boolean wantsLogits,
      CancellationFlag flag) {
    call(() -> {
      for (int i = 0; i < positions.length; i++) {
        put(positions[i][0], image.values()[from + i]);
      }
    });
  }

  @Override
  public float[] logits(int i) {
    return new float[] {i};
  }

  @Override
  public boolean removeFrom(int position) {
    if (recurrent && position > 0 && position < places.size()) {
      call(() -> {});
      return false;
    }
    call(() -> places.subList(Math.min(position, places.size()), places.size()).clear());
    return true;
  }

  @Override
  public Optional<KvCheckpoint> checkpoint(int position, @Nullable KvCheckpoint reuse) {
    if (!recurrent) {
      return Optional.empty();
    }
    call(() -> {});
    if (position != places.size()) {
      throw new IllegalStateException("a checkpoint of another place than " + places.size());
    }
    return Optional.of(
        new KvCheckpoint() {
          @Override
          public long bytes() {
            return 1;
          }

          @Override
          public boolean restore() {
            call(() -> places.subList(position, places.size()).clear());
            return true;
          }

          @Override
          public void write(WritableByteChannel channel) {
            throw new UnsupportedOperationException("nothing is saved here");
          }

          @Override
          public void close() {}
        });
  }

  @Override
  public boolean canForget() {
    return !recurrent;
  }

  @Override
  public boolean hasPositionsBefore(int position) {
    return true;
  }

  @Override
  public boolean isClosed() {
    return false;
  }

  @Override
  public void close() {}
}
