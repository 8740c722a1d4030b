package dev.ocellus.llama;

import dev.ocellus.ffi.llama_batch;
import dev.ocellus.ggml.NativeObject;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.function.IntConsumer;

/**
 * What one {@link LlamaContext#decode} computes: tokens, or rows of embeddings such as an image
 * gives. It is filled, decoded, cleared and filled again; nothing is allocated meanwhile.
 *
 * <p>For one thread at a time.
 */
public final class Batch extends NativeObject {
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;

  private final int capacity;
  private final int width;
  private final int nPositions;
  private final MemorySegment struct;
  private final MemorySegment tokens;
  private final MemorySegment embeddings;
  private final MemorySegment positions;
  private final MemorySegment packed;
  private final MemorySegment sequences;
  private final MemorySegment logits;
  private final ReentrantLock use = new ReentrantLock();
  private int size;
  private int outputs;

  private Batch(int capacity, int width, int nPositions) {
    if (capacity < 1) {
      throw new IllegalArgumentException("capacity: expected at least 1, found " + capacity);
    }
    this.capacity = capacity;
    this.width = width;
    this.nPositions = nPositions;
    var arena = arena();
    tokens = width == 0 ? arena.allocate(INT, capacity) : MemorySegment.NULL;
    embeddings =
        width == 0
            ? MemorySegment.NULL
            : arena.allocate(ValueLayout.JAVA_FLOAT, (long) capacity * width);
    positions = arena.allocate(INT, (long) capacity * nPositions);
    packed = arena.allocate(INT, (long) capacity * nPositions);
    sequences = arena.allocate(INT, capacity);
    logits = arena.allocate(capacity);
    MemorySegment counts = arena.allocate(INT, capacity);
    MemorySegment pointers = arena.allocate(ValueLayout.ADDRESS, capacity + 1L);
    for (int i = 0; i < capacity; i++) {
      counts.setAtIndex(INT, i, 1);
      pointers.setAtIndex(ValueLayout.ADDRESS, i, sequences.asSlice(4L * i, 4));
    }
    struct = llama_batch.allocate(arena);
    llama_batch.token(struct, tokens);
    llama_batch.embd(struct, embeddings);
    llama_batch.pos(struct, packed);
    llama_batch.n_seq_id(struct, counts);
    llama_batch.seq_id(struct, pointers);
    llama_batch.logits(struct, logits);
  }

  /** A batch of up to {@code capacity} tokens. */
  public static Batch ofTokens(int capacity) {
    return new Batch(capacity, 0, 1);
  }

  /**
   * A batch of up to {@code capacity} embeddings.
   *
   * @param width floats of one embedding
   * @param nPositions position numbers of one embedding: 1, or 4 for multi-axis rotary positions
   */
  public static Batch ofEmbeddings(int capacity, int width, int nPositions) {
    if (width < 1 || nPositions < 1 || nPositions > 4) {
      throw new IllegalArgumentException(
          "expected a positive width and 1 to 4 positions, found %d and %d"
              .formatted(width, nPositions));
    }
    return new Batch(capacity, width, nPositions);
  }

  public int capacity() {
    return capacity;
  }

  public int size() {
    return size;
  }

  /** Entries whose logits are wanted. */
  int outputs() {
    return outputs;
  }

  /** Tells the entries whose logits are wanted. */
  void forEachOutput(IntConsumer entry) {
    for (int i = 0; i < size; i++) {
      if (logits.get(ValueLayout.JAVA_BYTE, i) != 0) {
        entry.accept(i);
      }
    }
  }

  /** Floats of one embedding; 0 for a batch of tokens. */
  int width() {
    return width;
  }

  /** Position numbers of one entry. */
  int nPositions() {
    return nPositions;
  }

  /** Position of entry {@code i}, on its first axis. */
  int position(int i) {
    return positions.getAtIndex(INT, i);
  }

  int token(int i) {
    return tokens.getAtIndex(INT, i);
  }

  int sequence(int i) {
    return sequences.getAtIndex(INT, i);
  }

  /** Empties the batch. */
  public void clear() {
    size = 0;
    outputs = 0;
  }

  /**
   * Adds a token.
   *
   * @param wantsLogits whether the logits after it can be read
   */
  public void add(int token, int position, int sequence, boolean wantsLogits) {
    requireRoom(width == 0, "tokens");
    tokens.setAtIndex(INT, size, token);
    addEntry(sequence, wantsLogits);
    positions.setAtIndex(INT, size - 1, position);
  }

  /**
   * Adds one embedding.
   *
   * @param rows embeddings, one after the other
   * @param row which of them
   * @param position its position on every axis
   */
  public void add(float[] rows, int row, int[] position, int sequence, boolean wantsLogits) {
    requireRoom(width > 0, "embeddings");
    if (position.length != nPositions) {
      throw new IllegalArgumentException(
          "position: expected %d numbers, found %d".formatted(nPositions, position.length));
    }
    MemorySegment.copy(
        rows, row * width, embeddings, ValueLayout.JAVA_FLOAT, 4L * size * width, width);
    addEntry(sequence, wantsLogits);
    for (int axis = 0; axis < nPositions; axis++) {
      positions.setAtIndex(INT, (long) axis * capacity + size - 1, position[axis]);
    }
  }

  private void addEntry(int sequence, boolean wantsLogits) {
    sequences.setAtIndex(INT, size, sequence);
    logits.set(ValueLayout.JAVA_BYTE, size, (byte) (wantsLogits ? 1 : 0));
    size++;
    outputs += wantsLogits ? 1 : 0;
  }

  private void requireRoom(boolean kind, String what) {
    requireOpen();
    if (!kind) {
      throw new IllegalStateException("This batch is not one of " + what);
    }
    if (size == capacity) {
      throw new IllegalStateException("The batch is full (%d entries)".formatted(capacity));
    }
  }

  /**
   * Gives the native struct to a call, which closing waits for: the call gets the struct as a
   * value, so nothing else keeps what its pointers lead to.
   */
  <T> T use(Function<MemorySegment, T> call) {
    use.lock();
    try {
      return call.apply(handle());
    } finally {
      use.unlock();
    }
  }

  /** The struct. libllama wants the axes of the positions packed to the number of entries. */
  private MemorySegment handle() {
    requireOpen();
    for (int axis = 0; axis < nPositions; axis++) {
      MemorySegment.copy(positions, 4L * axis * capacity, packed, 4L * axis * size, 4L * size);
    }
    llama_batch.n_tokens(struct, size);
    return struct;
  }

  @Override
  @SuppressWarnings("LockNotBeforeTry") // there is nothing to try
  protected void beforeClose() {
    use.lock(); // when what is running has ended; what waits behind it finds this closed
    use.unlock();
  }
}
