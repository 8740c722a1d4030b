package dev.ocellus.vlm.sampling;

import java.util.Arrays;

/** A map from tokens to numbers without boxes: open addressing with linear probing. */
final class TokenMap {
  private static final int FREE = -1;

  private int[] tokens = new int[64];
  private int[] values = new int[64];
  private int used;

  TokenMap() {
    clear();
  }

  void clear() {
    Arrays.fill(tokens, FREE);
    used = 0;
  }

  /** The number of a token, 0 if none was put. */
  int get(int token) {
    int slot = slot(token);
    return tokens[slot] == FREE ? 0 : values[slot];
  }

  void put(int token, int value) {
    int slot = slot(token);
    if (tokens[slot] == FREE) {
      if (2 * ++used > tokens.length) {
        grow();
        slot = slot(token);
      }
      tokens[slot] = token;
    }
    values[slot] = value;
  }

  /** What is done with each token and number. */
  @FunctionalInterface
  interface Visitor {
    void visit(int token, int value);
  }

  /** Visits what has a number other than 0, in no particular order. */
  void forEach(Visitor visitor) {
    for (int i = 0; i < tokens.length; i++) {
      if (tokens[i] != FREE && values[i] != 0) {
        visitor.visit(tokens[i], values[i]);
      }
    }
  }

  private int slot(int token) {
    int mask = tokens.length - 1;
    int slot = ((token * 0x9e3779b9) >>> 7) & mask;
    while (tokens[slot] != FREE && tokens[slot] != token) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  /** Makes room, and forgets the tokens with the number 0. */
  private void grow() {
    int[] oldTokens = tokens;
    int[] oldValues = values;
    int live = 0;
    for (int i = 0; i < oldTokens.length; i++) {
      live += oldTokens[i] != FREE && oldValues[i] != 0 ? 1 : 0;
    }
    int capacity = Math.max(64, Integer.highestOneBit(live + 1) * 8);
    tokens = new int[capacity];
    values = new int[capacity];
    clear();
    for (int i = 0; i < oldTokens.length; i++) {
      if (oldTokens[i] != FREE && oldValues[i] != 0) {
        int slot = slot(oldTokens[i]);
        tokens[slot] = oldTokens[i];
        values[slot] = oldValues[i];
        used++;
      }
    }
    used++; // the token that is being put
  }
}
