package dev.ocellus.vlm.decode;

import dev.ocellus.llama.LlamaContext;
import dev.ocellus.llama.StateCheckpoint;
import java.io.IOException;
import java.nio.channels.WritableByteChannel;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A checkpoint of a sequence of libllama. */
record LlamaCheckpoint(StateCheckpoint state, int sequence) implements KvCheckpoint {
  /** Empty where the memory can be rolled back, and needs none. */
  static Optional<LlamaCheckpoint> of(
      LlamaContext context, int sequence, int position, @Nullable KvCheckpoint reuse) {
    if (context.model().canRollBack()) {
      return Optional.empty();
    }
    StateCheckpoint old = reuse instanceof LlamaCheckpoint(StateCheckpoint s, int q) ? s : null;
    StateCheckpoint taken = StateCheckpoint.take(context, sequence, position, old);
    if (old != null && old != taken) {
      old.close();
    }
    return Optional.of(new LlamaCheckpoint(taken, sequence));
  }

  @Override
  public long bytes() {
    return state.bytes();
  }

  @Override
  public boolean restore() {
    return state.restore(sequence);
  }

  /**
   * Brings another, empty sequence to this place, with the keys and values of this one.
   *
   * @return false if that failed, and then the other sequence must be emptied
   */
  boolean restoreInto(int other) {
    return state.restoreInto(sequence, other);
  }

  @Override
  public void write(WritableByteChannel channel) throws IOException {
    state.write(channel);
  }

  @Override
  public void close() {
    state.close();
  }
}
