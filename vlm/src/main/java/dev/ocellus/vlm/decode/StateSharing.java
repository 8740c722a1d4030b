package dev.ocellus.vlm.decode;

import dev.ocellus.llama.LlamaContext;
import dev.ocellus.llama.LlamaException;
import java.io.IOException;
import java.nio.channels.WritableByteChannel;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * As {@link PrefixSharing}, for models with recurrent states. Of those a sequence has only what
 * stands behind its last token, so another one can begin as it did where there is a checkpoint: it
 * gets a copy of the states, and shares the cells of the other layers.
 *
 * <p>A checkpoint belongs to the sequence that took it. Others start from it as long as it is kept
 * there, and its memory is counted there.
 */
final class StateSharing {
  private final LlamaContext context;
  private final Offers<BatchedSequence> offers = new Offers<>(); // guarded by lock
  private final List<Place> places = new ArrayList<>(); // guarded by lock
  private final ReentrantLock lock = new ReentrantLock();

  StateSharing(LlamaContext context) {
    this.context = context;
  }

  /** A checkpoint from which others may start as well, so that it is not closed under them. */
  private final class Place implements KvCheckpoint {
    private final BatchedSequence owner;
    private final LlamaCheckpoint checkpoint;
    private final int position;

    Place(BatchedSequence owner, LlamaCheckpoint checkpoint, int position) {
      this.owner = owner;
      this.checkpoint = checkpoint;
      this.position = position;
    }

    @Override
    public long bytes() {
      return checkpoint.bytes();
    }

    @Override
    public boolean restore() {
      withdraw(owner, position);
      return checkpoint.restore();
    }

    @Override
    public void write(WritableByteChannel channel) throws IOException {
      checkpoint.write(channel);
    }

    @Override
    public void close() {
      lock.lock();
      try {
        places.remove(this);
        checkpoint.close();
      } finally {
        lock.unlock();
      }
    }
  }

  /** As {@link KvSequence#checkpoint}, from which others may start. */
  Optional<KvCheckpoint> checkpoint(
      BatchedSequence sequence, int position, @Nullable KvCheckpoint reuse) {
    lock.lock();
    try {
      LlamaCheckpoint old = null;
      if (reuse instanceof Place place) {
        places.remove(place); // its content is replaced
        old = place.checkpoint;
      }
      return LlamaCheckpoint.of(context, sequence.id(), position, old)
          .map(taken -> add(new Place(sequence, taken, position)));
    } finally {
      lock.unlock();
    }
  }

  /** A checkpoint of a sequence that was read from a file. */
  KvCheckpoint adopt(BatchedSequence sequence, LlamaCheckpoint checkpoint) {
    lock.lock();
    try {
      return add(new Place(sequence, checkpoint, checkpoint.state().position()));
    } finally {
      lock.unlock();
    }
  }

  private KvCheckpoint add(Place place) {
    places.add(place);
    return place;
  }

  /** Says what a sequence holds. */
  void offer(BatchedSequence sequence, List<ContextEntry> entries) {
    lock.lock();
    try {
      offers.put(sequence, entries);
    } finally {
      lock.unlock();
    }
  }

  /** Says that a sequence is about to forget what stands at a position and behind it. */
  void withdraw(BatchedSequence sequence, int position) {
    lock.lock();
    try {
      offers.withdraw(sequence, position);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Replaces the content of a sequence by what another one holds before the checkpoint that leaves
   * the least to compute.
   *
   * @param have entries of that beginning that stay in the sequence without it
   * @return how many entries stand there now; 0 if no checkpoint is far enough behind those to be
   *     worth it, and then nothing is changed
   * @throws LlamaException if libllama cannot do so, and then the sequence must be emptied
   */
  int take(BatchedSequence sequence, List<ContextEntry> wanted, int have) {
    lock.lock();
    try {
      Place best = best(sequence, wanted);
      if (best == null) {
        return 0;
      }
      int nEntries = entriesBefore(best.position, wanted);
      if (nEntries <= have
          || ContextEntry.placesOf(wanted.subList(have, nEntries)) < CheckpointPlaces.MIN_GAP) {
        return 0;
      }
      offers.remove(sequence);
      if (!context.removeFrom(sequence.id(), 0) || !best.checkpoint.restoreInto(sequence.id())) {
        throw new LlamaException("libllama could not copy the state of a sequence to another one");
      }
      return nEntries;
    } finally {
      lock.unlock();
    }
  }

  /** The last checkpoint of another sequence that stands before what differs. */
  private @Nullable Place best(BatchedSequence sequence, List<ContextEntry> wanted) {
    Map<BatchedSequence, Integer> ends = new HashMap<>();
    offers
        .others(sequence)
        .forEach((other, entries) -> {
          int common = ContextEntry.common(entries, wanted);
          ends.put(other, ContextEntry.positionsOf(wanted.subList(0, common)));
        });
    Place best = null;
    for (Place place : places) {
      if (place.position <= ends.getOrDefault(place.owner, -1)
          && (best == null || place.position > best.position)
          && context.hasPositionsBefore(place.owner.id(), place.position)) {
        best = place;
      }
    }
    return best;
  }

  private static int entriesBefore(int position, List<ContextEntry> entries) {
    int n = 0;
    for (int at = 0; at < position; n++) {
      at += entries.get(n).positions();
    }
    return n;
  }
}
