package dev.ocellus.llama;

import dev.ocellus.gguf.TensorType;
import java.util.List;
import java.util.stream.IntStream;

/**
 * How libllama writes the keys and values of a sequence of one context: magic number and number of
 * the sequence, and then each of its caches. A cache has the number of its streams and of the cells
 * of this sequence; for every cell its position, and where positions have axes the others and the
 * token; and then for every layer the type and row length of the keys and all keys, and the same
 * for the values, whose cells lie beside each other where there is no flash attention. Recurrent
 * states follow: one cell with the position of the last token, and then for every block that has
 * some the type, length and floats of its convolution, and the same for its state space; a
 * checkpoint holds these alone. Little-endian on all machines that ggml is built for here.
 *
 * <p>Source: {@code llama_kv_cache::state_write}, {@code llama_kv_cache_iswa::state_write}, {@code
 * llama_memory_recurrent::state_write} and {@code llama_memory_hybrid::state_write} in {@code src}
 * of llama.cpp v0.4.0. Models with another memory cannot be saved ({@link
 * LlamaModel#canSaveState}).
 *
 * @param caches one, or that of the layers that see all and that of the layers with a window
 * @param typeK of keys
 * @param typeV of values
 * @param rowElements keys, and as many values, of one cell in one layer
 * @param flashAttention which decides how values lie
 * @param axes whether cells have positions on axes and tokens
 * @param states recurrent states, if the model has any
 */
record StateShape(
    List<Cache> caches,
    TensorType typeK,
    TensorType typeV,
    int rowElements,
    ContextOptions.FlashAttention flashAttention,
    boolean axes,
    RecurrentStates states) {

  /**
   * One cache.
   *
   * @param name for people
   * @param nLayers layers in it
   * @param window how many tokens a layer sees, its own included; 0 for all
   */
  record Cache(String name, int nLayers, int window) {}

  private static final int FRONT_BYTES = 8;
  private static final int CACHE_BYTES = 16;
  private static final int TYPE_BYTES = 12;
  private static final int CELL_BYTES = 12;
  private static final int AXES_BYTES = 12;

  /** Number of cells, the cell, whether it is transposed, and number of blocks. */
  private static final int STATES_BYTES = 20;

  static StateShape of(Hyperparameters sizes, int window, boolean axes, ContextOptions options) {
    if (!sizes.cache().saved()) {
      throw new UnsupportedOperationException("The saved form of this model's memory is not known");
    }
    int nWindowed = sizes.nWindowed();
    List<Cache> caches =
        window > 0
            ? List.of(
                new Cache("cache of whole layers", sizes.nLayer() - nWindowed, 0),
                new Cache("cache of layers with a window", nWindowed, window))
            : List.of(new Cache("cache", nAttending(sizes), 0));
    return new StateShape(
        caches,
        options.typeK(),
        options.typeV(),
        sizes.headSize() * sizes.nHeadKv(),
        options.flashAttention(),
        axes,
        sizes.cache().states());
  }

  /** Blocks that have keys, which are all where none has recurrent states. */
  private static int nAttending(Hyperparameters sizes) {
    return sizes.cache().state() == 0
        ? sizes.nLayer()
        : (int) (sizes.cache().keys() / ((long) sizes.headSize() * sizes.nHeadKv()));
  }

  long rowBytesK() {
    return typeK.rowBytes(rowElements);
  }

  long rowBytesV() {
    return typeV.rowBytes(rowElements);
  }

  int cellBytes() {
    return axes ? CELL_BYTES + AXES_BYTES : CELL_BYTES;
  }

  /**
   * Bytes of a state with so many cells in every cache.
   *
   * @param nCells at least 1 in each
   */
  long length(int... nCells) {
    return FRONT_BYTES
        + IntStream.range(0, caches.size())
            .mapToLong(i -> {
              long perLayer = 2L * TYPE_BYTES + nCells[i] * (rowBytesK() + rowBytesV());
              return CACHE_BYTES
                  + (long) nCells[i] * cellBytes()
                  + perLayer * caches.get(i).nLayers();
            })
            .sum()
        + statesLength();
  }

  private long statesLength() {
    return states.floats() == 0
        ? 0
        : STATES_BYTES + 2L * TYPE_BYTES * states.nRecurrent() + Float.BYTES * states.floats();
  }

  /** Bytes of a checkpoint, wherever it is taken. */
  long checkpointLength() {
    return FRONT_BYTES + statesLength();
  }

  /** Most bytes of a state of so many places. */
  long maxLength(int nPlaces) {
    return length(IntStream.range(0, caches.size()).map(i -> nPlaces).toArray());
  }

  /**
   * Refuses bytes that are more than a state of so many places can be, before any is read.
   *
   * @throws StateFormatException if they are
   */
  void requireLength(int nPlaces, long length) {
    long max = maxLength(nPlaces);
    if (length > max) {
      throw new StateFormatException(
          "the keys and values of %d places: expected at most %d bytes, found %d"
              .formatted(nPlaces, max, length));
    }
  }
}
