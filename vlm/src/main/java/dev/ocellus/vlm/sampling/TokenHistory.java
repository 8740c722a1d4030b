package dev.ocellus.vlm.sampling;

import java.util.Arrays;

/** The latest tokens, up to a limit; memory grows with what is there. */
final class TokenHistory {
  private final int limit;
  private int[] ring = new int[64];
  private int end;
  private int size;

  TokenHistory(int limit) {
    this.limit = limit;
  }

  int size() {
    return size;
  }

  /** The token that came {@code age} tokens before the latest. */
  int back(int age) {
    return ring[Math.floorMod(end - 1 - age, ring.length)];
  }

  /** Adds a token. Returns the one that had to go, or −1. */
  int add(int token) {
    int gone = -1;
    if (size == limit) {
      gone = back(size - 1);
    } else if (size++ == ring.length) {
      int[] larger = new int[Math.multiplyExact(2, ring.length)];
      for (int i = 0; i < ring.length; i++) {
        larger[i] = ring[(end + i) % ring.length];
      }
      end = ring.length;
      ring = larger;
    }
    ring[end] = token;
    end = (end + 1) % ring.length;
    return gone;
  }

  /** All tokens, the latest first. */
  int[] latestFirst() {
    int[] tokens = new int[size];
    Arrays.setAll(tokens, this::back);
    return tokens;
  }

  void clear() {
    end = 0;
    size = 0;
  }
}
