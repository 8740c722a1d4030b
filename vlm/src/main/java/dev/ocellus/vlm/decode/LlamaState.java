package dev.ocellus.vlm.decode;

import dev.ocellus.llama.LlamaContext;
import dev.ocellus.llama.SequencePlaces;
import dev.ocellus.llama.StateCheckpoint;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.util.List;
import java.util.Optional;

/**
 * Keys and values of a sequence of libllama, and its recurrent states, in its form.
 *
 * @param owner told of what is read
 */
record LlamaState(LlamaContext context, int sequence, Owner owner) implements KvState {
  /** Whose state it is. */
  interface Owner {
    /** The only sequence of a context. */
    Owner ALONE = new Owner() {};

    /** The sequence's content is about to be replaced. */
    default void beforeRead() {}

    /** A checkpoint of the sequence was read; gives what restores it. */
    default KvCheckpoint adopt(LlamaCheckpoint checkpoint) {
      return checkpoint;
    }
  }

  /** Empty where the form of a saved sequence is not known, and could not be checked. */
  static Optional<KvState> of(LlamaContext context, int sequence, Owner owner) {
    return context.model().canSaveState()
        ? Optional.of(new LlamaState(context, sequence, owner))
        : Optional.empty();
  }

  @Override
  public String kind() {
    return context.stateKind();
  }

  @Override
  public long maxLength(int nPlaces) {
    return context.maxStateLength(nPlaces);
  }

  @Override
  public void write(WritableByteChannel channel) throws IOException {
    context.writeState(sequence, channel);
  }

  @Override
  public boolean read(FileChannel channel, long offset, long length, List<ContextEntry> entries)
      throws IOException {
    SequencePlaces places = places(entries, context.model().nPositions());
    owner.beforeRead();
    return context.readState(sequence, channel, offset, length, places);
  }

  @Override
  public Optional<KvCheckpoint> readCheckpoint(
      FileChannel channel, long offset, long length, List<ContextEntry> before) throws IOException {
    return StateCheckpoint.read(
            context,
            channel,
            offset,
            length,
            places(before, context.model().nPositions()),
            ContextEntry.positionsOf(before))
        .map(state -> owner.adopt(new LlamaCheckpoint(state, sequence)));
  }

  /** What stands in every place when these entries stand behind each other. */
  private static SequencePlaces places(List<ContextEntry> entries, int nPositions) {
    var places = new SequencePlaces();
    int position = 0;
    int number = 0;
    for (ContextEntry entry : entries) {
      switch (entry) {
        case ContextEntry.Token(int id) -> places.addToken(id, position);
        case ContextEntry.Image image -> {
          for (int row = 0; row < image.size(); row++) {
            places.addRow(ContextEntry.axes(image.embeddings(), row, position, nPositions, number));
          }
          number += image.embeddings().numbered() ? 1 : 0;
        }
      }
      position += entry.positions();
    }
    return places;
  }
}
