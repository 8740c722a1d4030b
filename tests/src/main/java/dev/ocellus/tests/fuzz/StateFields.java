package dev.ocellus.tests.fuzz;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** Finds the numbers among the keys and values of a state as libllama writes it. */
final class StateFields {
  private static final int MAX_LAYERS = 64;
  private static final int MAGIC = 0xaf143cd8;

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

  /** As {@link #find}, for checkpoints behind each other. */
  static List<Integer> ofCheckpoints(byte[] checkpoints) {
    StateFields reader = new StateFields(SessionParts.little(checkpoints), 0);
    if (checkpoints.length < 4 + 12) {
      return List.of(0);
    }
    int n = reader.take();
    for (int i = 0; i < 3 * n && reader.in.remaining() >= 4; i++) {
      reader.take();
    }
    for (int i = 0; i < n && reader.in.remaining() >= 28; i++) {
      reader.take();
      reader.take();
      reader.readStates(i < n - 1);
    }
    return reader.fields;
  }

  /** Recurrent states: a cell, and floats of every block that has some, twice. */
  private boolean readStates(boolean moreBehind) {
    if (in.remaining() < 20 || in.getInt(in.position()) != 1) {
      return false;
    }
    for (int i = 0; i < 5; i++) {
      take();
    }
    while (in.remaining() >= 12 && !(moreBehind && in.getInt(in.position()) == MAGIC)) {
      take();
      int bytes = take();
      take();
      if (bytes < 0 || bytes > in.remaining()) {
        return false;
      }
      in.position(in.position() + bytes);
    }
    return in.remaining() == 0 || moreBehind;
  }

  private boolean read() {
    take();
    take();
    boolean first = true;
    while (in.remaining() >= 8) {
      if (!first && in.remaining() >= 20 && in.getLong(in.position() + 8) == 0) {
        return readStates(false); // a cell that names no sequence, and is not transposed
      }
      first = false;
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
        int width = take();
        int second = take();
        long row = i >= nLayers && across == 1 ? (long) width * second : width;
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
