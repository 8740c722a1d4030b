package dev.ocellus.vlm.text;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Collection;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Finds stop strings in text that arrives in chunks, also across their borders.
 *
 * <p>Text is passed on as soon as it cannot be part of a stop string: only the longest end that
 * begins one is held back. The stop string that is complete first wins, and among those that end at
 * the same place the longest; so how the text is cut into chunks never changes the outcome.
 *
 * <p>Takes time in proportion to the text however many stop strings there are (Aho and Corasick
 * 1975, doi:10.1145/360825.360855). Not safe for use by several threads.
 */
public final class StopStrings {
  /**
   * What became known with a chunk.
   *
   * @param text text to pass on; with a stop string, all that was before it
   * @param stop the stop string that was found, or null
   */
  public record Result(String text, @Nullable String stop) {
    /** Whether a stop string was found. */
    public boolean stopped() {
      return stop != null;
    }
  }

  /** A beginning of stop strings. */
  private static final class Node {
    private final int depth;
    private char[] keys = {};
    private Node[] children = {};

    /** The longest proper end of this beginning that is a beginning too; the root's is itself. */
    private Node fallback = this;

    /** The longest stop string that this beginning ends with. */
    private @Nullable String stop;

    Node(int depth) {
      this.depth = depth;
    }

    @Nullable Node child(char key) {
      int i = Arrays.binarySearch(keys, key);
      return i < 0 ? null : children[i];
    }

    Node childOrNew(char key) {
      int i = Arrays.binarySearch(keys, key);
      if (i >= 0) {
        return children[i];
      }
      int at = -i - 1;
      int n = keys.length;
      Node child = new Node(depth + 1);
      char[] moreKeys = Arrays.copyOf(keys, n + 1);
      Node[] moreChildren = Arrays.copyOf(children, n + 1);
      System.arraycopy(keys, at, moreKeys, at + 1, n - at);
      System.arraycopy(children, at, moreChildren, at + 1, n - at);
      moreKeys[at] = key;
      moreChildren[at] = child;
      keys = moreKeys;
      children = moreChildren;
      return child;
    }
  }

  private final Node root = new Node(0);
  private Node state = root;
  private boolean stopped;
  private final StringBuilder held = new StringBuilder();

  /**
   * @param stops may be none, but none may be empty or hold half of a surrogate pair
   */
  public StopStrings(Collection<String> stops) {
    for (String stop : List.copyOf(stops)) {
      if (stop.isEmpty()) {
        throw new IllegalArgumentException(
            "stops: expected non-empty strings, found an empty one, which would stop at once");
      }
      if (stop.codePoints().anyMatch(c -> c >= 0xD800 && c <= 0xDFFF)) {
        throw new IllegalArgumentException(
            "stops: expected well-formed strings, found half of a surrogate pair in \""
                + stop
                + "\"");
      }
      Node node = root;
      for (int i = 0; i < stop.length(); i++) {
        node = node.childOrNew(stop.charAt(i));
      }
      node.stop = stop;
    }
    linkFallbacks();
  }

  private void linkFallbacks() {
    Deque<Node> queue = new ArrayDeque<>();
    for (Node child : root.children) {
      child.fallback = root;
      queue.add(child);
    }
    for (Node node = queue.poll(); node != null; node = queue.poll()) {
      for (int i = 0; i < node.keys.length; i++) {
        Node child = node.children[i];
        child.fallback = next(node.fallback, node.keys[i]);
        if (child.stop == null) {
          child.stop = child.fallback.stop;
        }
        queue.add(child);
      }
    }
  }

  private Node next(Node from, char key) {
    for (Node node = from; ; node = node.fallback) {
      Node child = node.child(key);
      if (child != null) {
        return child;
      }
      if (node == root) {
        return root;
      }
    }
  }

  /**
   * Adds a chunk of text, well-formed by itself as {@link Utf8Stream} makes it.
   *
   * @throws IllegalStateException if a stop string was found before
   */
  public Result accept(String chunk) {
    if (stopped) {
      throw new IllegalStateException(
          "a stop string was found already; call reset() before a new text");
    }
    int before = held.length();
    held.append(chunk);
    for (int i = 0; i < chunk.length(); i++) {
      state = next(state, chunk.charAt(i));
      if (state.stop != null) {
        stopped = true;
        return new Result(take(before + i + 1 - state.stop.length()), state.stop);
      }
    }
    return new Result(take(held.length() - state.depth), null);
  }

  /** Ends the text: returns what was held back, nothing if a stop string was found. */
  public String finish() {
    String rest = stopped ? "" : held.toString();
    reset();
    return rest;
  }

  /** Forgets the text, for a new one. */
  public void reset() {
    held.setLength(0);
    state = root;
    stopped = false;
  }

  private String take(int length) {
    String text = held.substring(0, length);
    held.delete(0, length);
    return text;
  }
}
