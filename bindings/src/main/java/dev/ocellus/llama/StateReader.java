package dev.ocellus.llama;

import dev.ocellus.gguf.TensorType;
import dev.ocellus.llama.ContextOptions.FlashAttention;
import dev.ocellus.llama.SequencePlaces.Place;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * Goes through keys and values that come from a file before libllama does, which makes room, writes
 * and asserts by what it finds there. Every number has to be what this context would have written
 * for a sequence with these places; only the keys and values themselves may be any finite numbers.
 */
final class StateReader {
  private static final int MAGIC = 0xaf143cd8;
  private static final int MAX_SEQUENCES = 256;
  private static final int HALF_INFINITY = 0x7C00;
  private static final int BRAIN_INFINITY = 0x7F80;

  private final MemorySegment data;
  private final StateShape shape;
  private final Place[] places;
  private long at;
  private boolean finite = true;

  private StateReader(MemorySegment data, StateShape shape, Place[] places) {
    this.data = data;
    this.shape = shape;
    this.places = places;
  }

  /**
   * Checks a state.
   *
   * @param places what stands in the sequence; at least one
   * @return whether all keys and values are finite, so that something can be computed from them
   * @throws StateFormatException if it is not the state of such a sequence in such a context
   */
  static boolean check(MemorySegment data, StateShape shape, SequencePlaces places) {
    StateReader reader = new StateReader(data, shape, places.sorted(shape.axes()));
    reader.check(places.lastPosition());
    return reader.finite;
  }

  /**
   * Checks recurrent states alone, as a checkpoint has them.
   *
   * @param lastPosition of what stands before the checkpoint
   * @return whether all of them are finite
   * @throws StateFormatException if it is no checkpoint of such a context there
   */
  static boolean checkCheckpoint(MemorySegment data, StateShape shape, int lastPosition) {
    StateReader reader = new StateReader(data, shape, new Place[0]);
    reader.front();
    reader.states(lastPosition);
    reader.end();
    return reader.finite;
  }

  private void check(int lastPosition) {
    front();
    for (StateShape.Cache cache : shape.caches()) {
      cache(cache);
    }
    if (shape.states().floats() > 0) {
      states(lastPosition);
    }
    end();
  }

  private void front() {
    expect("magic number", MAGIC, i32("magic number"));
    range("number of the sequence", i32("number of the sequence"), 0, MAX_SEQUENCES - 1);
  }

  private void end() {
    if (at != data.byteSize()) {
      throw wrong("end", at + " bytes", data.byteSize() + " bytes");
    }
  }

  private void cache(StateShape.Cache cache) {
    expect(cache.name() + ", streams", 1, i32("streams"));
    int nCells = i32("cells");
    range(cache.name() + ", cells", nCells, required(cache), allowed(cache));
    if (nCells == 0) {
      return; // only of a window of one token, and then nothing more is written
    }
    cells(cache, nCells);
    boolean across = valuesAcross(cache);
    expect(cache.name() + ", layers", cache.nLayers(), i32("layers"));
    for (int layer = 0; layer < cache.nLayers(); layer++) {
      String name = cache.name() + ", keys of layer " + layer;
      expect(name + ", type", shape.typeK().id(), i32(name));
      expect(name + ", bytes of a row", shape.rowBytesK(), i64(name));
      numbers(name, shape.typeK(), nCells);
    }
    for (int layer = 0; layer < cache.nLayers(); layer++) {
      String name = cache.name() + ", values of layer " + layer;
      expect(name + ", type", shape.typeV().id(), i32(name));
      if (across) {
        expect(name + ", bytes of an element", shape.typeV().blockBytes(), i32(name));
        expect(name + ", elements of a row", shape.rowElements(), i32(name));
      } else {
        expect(name + ", bytes of a row", shape.rowBytesV(), i64(name));
      }
      numbers(name, shape.typeV(), nCells);
    }
  }

  /**
   * Whether the values of one element lie beside each other, as they do without flash attention.
   */
  private boolean valuesAcross(StateShape.Cache cache) {
    boolean across = shape.flashAttention() == FlashAttention.OFF;
    String name = cache.name() + ", whether values are transposed";
    int found = i32(name);
    if (shape.flashAttention() == FlashAttention.AUTO) {
      // libllama has chosen one of both, does not tell which, and refuses the other
      range(name, found, 0, shape.typeV().isQuantized() ? 0 : 1);
      return found == 1;
    }
    expect(name, across ? 1 : 0, found);
    return across;
  }

  private int last() {
    return places[places.length - 1].position();
  }

  /** Places that the next token sees. */
  private int required(StateShape.Cache cache) {
    return cache.window() == 0 ? places.length : within(cache.window() - 1);
  }

  /** Places that the last token sees; the first of them may have been given away since. */
  private int allowed(StateShape.Cache cache) {
    return cache.window() == 0 ? places.length : within(cache.window());
  }

  /** Places among the last so many positions. */
  private int within(int window) {
    int n = 0;
    while (n < places.length && last() - places[places.length - 1 - n].position() < window) {
      n++;
    }
    return n;
  }

  /** In any order, but each of the last {@code nCells} places has to have its cell. */
  private void cells(StateShape.Cache cache, int nCells) {
    Place[] found = new Place[nCells];
    for (int i = 0; i < nCells; i++) {
      String name = cache.name() + ", cell " + i;
      int position = i32(name);
      expect(name + ", sequences", 1, i32(name));
      int column = shape.axes() ? i32(name) : 0;
      int line = shape.axes() ? i32(name) : 0;
      int token = shape.axes() ? i32(name) : 0;
      range(name + ", number of the sequence", i32(name), 0, MAX_SEQUENCES - 1);
      found[i] = new Place(position, line, column, token);
    }
    Arrays.sort(found);
    for (int i = 0; i < nCells; i++) {
      Place expected = places[places.length - nCells + i];
      if (!found[i].equals(expected)) {
        throw wrong(cache.name() + ", cells in order, number " + i, "" + expected, "" + found[i]);
      }
    }
  }

  private void states(int lastPosition) {
    RecurrentStates states = shape.states();
    String cell = "recurrent states, cell";
    expect("recurrent states, cells", 1, i32("cells"));
    expect(cell, lastPosition, i32(cell));
    expect(cell + ", sequences", 0, i32(cell));
    expect("recurrent states, whether transposed", 0, i32("recurrent states"));
    expect("recurrent states, layers", states.nLayer(), i32("layers"));
    for (int i = 0; i < states.nRecurrent(); i++) {
      floats("convolution of recurrent layer " + i, states.convolution());
    }
    for (int i = 0; i < states.nRecurrent(); i++) {
      floats("state of recurrent layer " + i, states.space());
    }
  }

  private void floats(String name, long n) {
    expect(name + ", type", TensorType.F32.id(), i32(name));
    expect(name + ", bytes", n * Float.BYTES, i64(name));
    numbers(name, TensorType.F32, n * Float.BYTES);
  }

  /** Steps over the keys or values of a layer. */
  private void numbers(String name, TensorType type, int nCells) {
    numbers(name, type, nCells * type.rowBytes(shape.rowElements()));
  }

  private void numbers(String name, TensorType type, long bytes) {
    if (bytes > data.byteSize() - at) {
      throw wrong(name, bytes + " bytes", data.byteSize() - at + " bytes");
    }
    finite = finite && isFinite(type, at, at + bytes);
    at += bytes;
  }

  private boolean isFinite(TensorType type, long from, long to) {
    boolean ok = true;
    switch (type) {
      case F32 -> {
        for (long i = from; i < to; i += Float.BYTES) {
          ok &= Float.isFinite(data.get(ValueLayout.JAVA_FLOAT_UNALIGNED, i));
        }
      }
      case F16 -> ok = noneIsInfinite(from, to, Short.BYTES, HALF_INFINITY);
      case BF16 -> ok = noneIsInfinite(from, to, Short.BYTES, BRAIN_INFINITY);
      default -> {
        // a block begins with its scale, and for two types with its least value behind that
        ok = noneIsInfinite(from, to, type.blockBytes(), HALF_INFINITY);
        if (type == TensorType.Q4_1 || type == TensorType.Q5_1) {
          ok &= noneIsInfinite(from + Short.BYTES, to, type.blockBytes(), HALF_INFINITY);
        }
      }
    }
    return ok;
  }

  /** Whether no 16 bits at every {@code step} have an exponent of ones only. */
  private boolean noneIsInfinite(long from, long to, int step, int exponent) {
    boolean ok = true;
    for (long i = from; i < to; i += step) {
      ok &= (data.get(ValueLayout.JAVA_SHORT_UNALIGNED, i) & exponent) != exponent;
    }
    return ok;
  }

  private int i32(String what) {
    need(what, Integer.BYTES);
    int value = data.get(ValueLayout.JAVA_INT_UNALIGNED, at);
    at += Integer.BYTES;
    return value;
  }

  private long i64(String what) {
    need(what, Long.BYTES);
    long value = data.get(ValueLayout.JAVA_LONG_UNALIGNED, at);
    at += Long.BYTES;
    return value;
  }

  private void need(String what, int n) {
    if (n > data.byteSize() - at) {
      throw wrong(what, n + " bytes", "the end");
    }
  }

  private void expect(String what, long expected, long found) {
    if (expected != found) {
      throw wrong(what, "" + expected, "" + found);
    }
  }

  private void range(String what, int found, int min, int max) {
    if (found < min || found > max) {
      throw wrong(what, min == max ? "" + min : min + " to " + max, "" + found);
    }
  }

  private StateFormatException wrong(String what, String expected, String found) {
    return new StateFormatException(
        "the keys and values at byte %d: %s: expected %s, found %s"
            .formatted(at, what, expected, found));
  }
}
