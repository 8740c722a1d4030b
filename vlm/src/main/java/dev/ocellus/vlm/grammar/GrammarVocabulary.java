package dev.ocellus.vlm.grammar;

import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.function.IntFunction;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The texts of a model's tokens, arranged so that all that begin alike are looked at together.
 * Immutable; made once for a model, which takes a fraction of a second.
 */
public final class GrammarVocabulary {
  private static final int MAX_TOKEN_BYTES = 1024;

  private final byte[][] texts;
  private final BitSet ends;

  /** A tree of bytes in preorder: the byte, how deep it is, and where its subtree ends. */
  private byte[] label = new byte[1024];

  private short[] depth = new short[1024];
  private int[] subtreeEnd = new int[1024];

  /** For each node, where in {@code tokens} those begin that end at it. */
  private int[] firstToken = new int[1025];

  private int nodes;
  private final int[] tokens;
  private final int[] byteTokens = new int[256];
  private int deepest;

  /**
   * @param size number of tokens
   * @param text the bytes that a token adds to the answer: none for control tokens
   * @param endsGeneration whether a token ends an answer
   */
  public GrammarVocabulary(int size, IntFunction<byte[]> text, IntPredicate endsGeneration) {
    this.texts = new byte[size][];
    this.ends = new BitSet(size);
    for (int token = 0; token < size; token++) {
      texts[token] = text.apply(token);
      ends.set(token, endsGeneration.test(token));
    }
    this.tokens =
        IntStream.range(0, size)
            .filter(this::isText)
            .boxed()
            .sorted(Comparator.comparing((Integer t) -> texts[t], Arrays::compareUnsigned))
            .mapToInt(Integer::intValue)
            .toArray();
    Arrays.fill(byteTokens, -1);
    build();
  }

  /** Whether a token adds text to an answer. */
  boolean isText(int token) {
    int length = texts[token].length;
    return length > 0 && length <= MAX_TOKEN_BYTES && !ends.get(token) && !hasNul(token);
  }

  /** Whether a token has a byte 0, which no text has, and at which much stops. */
  private boolean hasNul(int token) {
    for (byte b : texts[token]) {
      if (b == 0) {
        return true;
      }
    }
    return false;
  }

  /** Whether a token may stand for itself: its text, if it has any, is whole characters. */
  boolean isWhole(int token) {
    byte[] text = texts[token];
    int i = 0;
    while (i < text.length) {
      int length = text[i] == 0 ? 0 : Utf8.lengthFromFirst(text[i] & 0xFF);
      if (length == 0 || i + length > text.length) {
        return false;
      }
      int bits = Utf8.firstBits(text[i] & 0xFF, length);
      for (int j = 1; j < length; j++) {
        if ((text[i + j] & 0xC0) != 0x80) {
          return false;
        }
        bits = bits << 6 | (text[i + j] & 0x3F);
      }
      if (Utf8.lowest(bits, 0, length) > Utf8.highest(bits, 0, length)) {
        return false;
      }
      i += length;
    }
    return true;
  }

  /** Tokens come sorted, so each adds a branch to the path of the one before. */
  private void build() {
    int[] path = new int[MAX_TOKEN_BYTES];
    byte[] before = {};
    for (int i = 0; i < tokens.length; i++) {
      byte[] text = texts[tokens[i]];
      int common = Arrays.mismatch(before, text);
      if (common >= 0) {
        close(path, common, before.length);
        for (int d = common; d < text.length; d++) {
          path[d] = open(text[d], d, i);
        }
      }
      if (text.length == 1 && byteTokens[text[0] & 0xFF] < 0) {
        byteTokens[text[0] & 0xFF] = tokens[i];
      }
      deepest = Math.max(deepest, text.length);
      before = text;
    }
    close(path, 0, before.length);
    firstToken[nodes] = tokens.length;
  }

  private void close(int[] path, int from, int to) {
    for (int d = from; d < to; d++) {
      subtreeEnd[path[d]] = nodes;
    }
  }

  private int open(byte b, int d, int token) {
    if (nodes == label.length) {
      label = Arrays.copyOf(label, 2 * nodes);
      depth = Arrays.copyOf(depth, 2 * nodes);
      subtreeEnd = Arrays.copyOf(subtreeEnd, 2 * nodes);
      firstToken = Arrays.copyOf(firstToken, 2 * nodes + 1);
    }
    label[nodes] = b;
    depth[nodes] = (short) d;
    firstToken[nodes] = token;
    return nodes++;
  }

  /** Number of tokens. */
  public int size() {
    return texts.length;
  }

  /** Whether a token adds bytes to an answer; control tokens add none. */
  public boolean hasText(int token) {
    return texts[token].length > 0;
  }

  byte[] text(int token) {
    return texts[token];
  }

  /** Whether a token ends an answer. */
  public boolean ends(int token) {
    return ends.get(token);
  }

  /** Adds the tokens that end an answer. */
  void addEnds(BitSet to) {
    to.or(ends);
  }

  /** A token of one byte, or −1. */
  int byteToken(int b) {
    return byteTokens[b];
  }

  /** A token of text but one, or −1. */
  int textTokenBut(int token) {
    for (int other : tokens) {
      if (other != token && isWhole(other)) {
        return other;
      }
    }
    return -1;
  }

  /**
   * Adds the tokens whose text may follow in a state.
   *
   * @return the most bytes that the shortest end of the text has after any of them
   */
  long addMatching(Automaton.State state, BitSet to) {
    long max = 0;
    @Nullable Automaton.State[] path = new Automaton.State[deepest + 1];
    path[0] = state;
    int node = 0;
    while (node < nodes) {
      int d = depth[node];
      Automaton.State from = path[d];
      Automaton.State after = from == null ? null : from.after(label[node] & 0xFF);
      if (after == null) {
        node = subtreeEnd[node];
        continue;
      }
      path[d + 1] = after;
      for (int i = firstToken[node]; i < firstToken[node + 1]; i++) {
        if (texts[tokens[i]].length == d + 1) {
          to.set(tokens[i]);
          max = Math.max(max, after.bytesToEnd());
        }
      }
      node++;
    }
    return max;
  }

  /** The token with the longest text that some bytes begin with from a place on, or −1. */
  int longest(byte[] bytes, int from, int to) {
    int best = -1;
    int node = 0;
    int d = 0;
    int end = nodes;
    while (node < end && from + d < to) {
      if (label[node] != bytes[from + d]) {
        node = subtreeEnd[node];
        continue;
      }
      if (firstToken[node] < firstToken[node + 1]
          && texts[tokens[firstToken[node]]].length == d + 1) {
        best = tokens[firstToken[node]];
      }
      end = subtreeEnd[node];
      node++;
      d++;
    }
    return best;
  }
}
