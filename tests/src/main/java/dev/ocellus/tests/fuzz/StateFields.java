package dev.ocellus.tests.fuzz;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** Finds the numbers among the keys and values of a state as libllama writes it. */
final class StateFields {
  private static final int MAX_LAYERS = 64;

  private final ByteBuffer in;
  private final int cellFields;
  private final List<Integer> fields = new ArrayList<>();

  private StateFields(ByteBuffer in, int cellFields) {
    this.in = in;
    this.cellFields = cellFields;
  }

  /** Offsets of all fields of 4 bytes; those of 8 are two of them. */
  static List<Integer> find(byte[] state) {
    for (int cellFields : new int[] {3, 6}) { // with and without positions on axes
      StateFields reader = new StateFields(SessionParts.little(state), cellFields);
      if (reader.read()) {
        return reader.fields;
      }
    }
    return List.of(0, 4, 8, 12); // changed before
  }

  private boolean read() {
    take();
    take();
    while (in.remaining() >= 8) {
      take();
      int nCells = take();
      if (nCells < 1 || nCells > in.remaining() / (4 * cellFields)) {
        return false;
      }
      for (int i = 0; i < nCells * cellFields; i++) {
        take();
      }
      if (in.remaining() < 8) {
        return false;
      }
      int across = take();
      int nLayers = take();
      if (across < 0 || across > 1 || nLayers < 0 || nLayers > MAX_LAYERS) {
        return false;
      }
      for (int i = 0; i < 2 * nLayers; i++) {
        if (in.remaining() < 12) {
          return false;
        }
        take();
        int first = take();
        int second = take();
        long row = i >= nLayers && across == 1 ? (long) first * second : first;
        if (row < 0 || row * nCells > in.remaining()) {
          return false;
        }
        in.position(in.position() + (int) row * nCells);
      }
    }
    return in.remaining() == 0;
  }

  private int take() {
    fields.add(in.position());
    return in.getInt();
  }
}
