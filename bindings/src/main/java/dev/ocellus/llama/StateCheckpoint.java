package dev.ocellus.llama;

import dev.ocellus.ffi.ggml_h;
import dev.ocellus.ggml.NativeStack;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a sequence's memory cannot take back by itself, as it was at one place: the recurrent
 * states. Keys and values are not in it; those before the place must still stand in the sequence
 * when it is restored. Its size does not depend on how long the sequence is.
 *
 * <p>It lives outside the Java heap until it is closed. For one thread at a time.
 */
public final class StateCheckpoint implements AutoCloseable {
  /** Only what cannot be rolled back. */
  private static final int PARTIAL = ggml_h.LLAMA_STATE_SEQ_FLAGS_PARTIAL_ONLY();

  private final Arena arena = Arena.ofShared();
  private final MemorySegment data;
  private final LlamaContext context;
  private int position;

  private StateCheckpoint(LlamaContext context, long size) {
    this.context = context;
    try {
      this.data = arena.allocate(size, 64);
    } catch (Throwable e) {
      arena.close();
      throw e;
    }
  }

  /**
   * Keeps the state of a sequence.
   *
   * @param position of what comes next in it
   * @param reuse one of the same context whose content is replaced, or null for a new one
   * @throws LlamaException if libllama cannot write it
   */
  public static StateCheckpoint take(
      LlamaContext context, int sequence, int position, @Nullable StateCheckpoint reuse) {
    return context.use(
        sequence,
        handle -> {
          long size =
              NativeStack.call(
                  () -> ggml_h.llama_state_seq_get_size_ext(handle, sequence, PARTIAL));
          StateCheckpoint checkpoint =
              reuse != null && reuse.context == context && reuse.bytes() == size
                  ? reuse
                  : new StateCheckpoint(context, Math.max(1, size));
          checkpoint.position = position;
          checkpoint.write(handle, sequence, size);
          return checkpoint;
        });
  }

  /**
   * Reads one that {@link #write(WritableByteChannel)} wrote, in a context of the same model and
   * the same {@link LlamaContext#stateKind()}. The bytes may come from anybody: everything that
   * libllama acts on is checked here.
   *
   * @param length bytes of it, of which there must be as many as every checkpoint of the context
   *     has
   * @param before what stands before it
   * @param position of what comes next there
   * @return empty if it holds numbers that are not finite
   * @throws IOException if the channel cannot be read
   * @throws StateFormatException if it is no checkpoint of such a place in such a context
   */
  public static Optional<StateCheckpoint> read(
      LlamaContext context,
      FileChannel channel,
      long offset,
      long length,
      SequencePlaces before,
      int position)
      throws IOException {
    ContextGuard.range("places", before.size(), 1, context.nCtx());
    StateShape shape = context.stateShape();
    if (length != shape.checkpointLength()) {
      throw new StateFormatException(
          "a checkpoint: expected %d bytes, found %d".formatted(shape.checkpointLength(), length));
    }
    var checkpoint = new StateCheckpoint(context, length);
    boolean finite = false;
    try {
      SequenceState.read(channel, offset, checkpoint.data);
      finite = StateReader.checkCheckpoint(checkpoint.data, shape, before.lastPosition());
    } finally {
      if (!finite) {
        checkpoint.close();
      }
    }
    checkpoint.position = position;
    return finite ? Optional.of(checkpoint) : Optional.empty();
  }

  /**
   * Writes it at a channel's position, {@link #bytes} of them.
   *
   * @throws IOException if the channel cannot be written
   */
  public void write(WritableByteChannel channel) throws IOException {
    SequenceState.write(data, channel);
  }

  private void write(MemorySegment handle, int sequence, long size) {
    long written =
        NativeStack.call(
            () -> ggml_h.llama_state_seq_get_data_ext(handle, data, size, sequence, PARTIAL));
    if (written != size) {
      close();
      throw new LlamaException(
          "libllama could not write the state of a sequence (%d of %d bytes)"
              .formatted(written, size));
    }
  }

  /** Bytes that it takes. */
  public long bytes() {
    return data.byteSize();
  }

  /** Position of what comes next where it was taken. */
  public int position() {
    return position;
  }

  /**
   * Brings a sequence of the same context back to this place, whose keys and values before it must
   * be there; those behind are forgotten.
   *
   * @return false if libllama could not do so, and then the sequence must be emptied
   */
  public boolean restore(int sequence) {
    return context.use(
        sequence,
        handle -> {
          long read =
              NativeStack.call(() ->
                  ggml_h.llama_state_seq_set_data_ext(
                      handle, data, data.byteSize(), sequence, PARTIAL));
          return read == data.byteSize() && context.removeFrom(sequence, position);
        });
  }

  /**
   * Brings an empty sequence of the same context to this place. It shares the keys and values
   * before it with the sequence that holds them, and has states of its own.
   *
   * @param holder holds the keys and values before this place
   * @param sequence holds nothing
   * @return false if libllama could not do so, and then the sequence must be emptied
   * @throws IllegalStateException if each sequence has a cache of its own
   */
  public boolean restoreInto(int holder, int sequence) {
    // in one go: two sequences with one cell of states must not be computed
    return context.use(
        sequence,
        handle -> {
          context.copyBefore(holder, sequence, position);
          return restore(sequence);
        });
  }

  @Override
  public void close() {
    if (arena.scope().isAlive()) {
      arena.close();
    }
  }
}
