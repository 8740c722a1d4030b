package dev.ocellus.vlm.grammar;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Runs a grammar over bytes. All ways to read the text so far are followed at once, as a set of
 * stacks; equal stacks and equal sets are one object, so that what follows a set is computed once
 * and then looked up.
 *
 * <p>Not safe for use by several threads.
 */
final class Automaton {
  /** Ways to read a text, and the steps to find them: beyond, a grammar is too ambiguous. */
  private static final int MAX_WAYS = 4_000;

  private static final int MAX_STEPS = 100_000;

  /** Sets and stacks to remember. */
  private static final int MAX_STATES = 20_000;

  private static final int MAX_FRAMES = 400_000;

  /**
   * Where a rule goes on when what it called has been matched: at a node, with {@code count} rounds
   * of a loop complete, and {@code bytes} at least to the end of the whole text.
   */
  private static final class Frame { // equality is identity
    final int id;
    final int node;
    final int count;
    final @Nullable Frame parent;
    final long bytes;

    Frame(int id, int node, int count, @Nullable Frame parent, long bytes) {
      this.id = id;
      this.node = node;
      this.count = count;
      this.parent = parent;
      this.bytes = bytes;
    }
  }

  private record FrameKey(int node, int count, int parent) {}

  private record Item(int node, int count, @Nullable Frame frame) {}

  private record StateKey(int[] values, int hash) {
    @Override
    public boolean equals(@Nullable Object o) {
      return o instanceof StateKey other && Arrays.equals(values, other.values);
    }

    @Override
    public int hashCode() {
      return hash;
    }
  }

  /** All ways to read a text so far: where each stands, at characters or tokens that may follow. */
  final class State {
    private final Item[] ways;
    private final boolean complete;
    private final int bits;
    private final int left;
    private final int length;
    private final long bytes;
    private final boolean takesTokens;
    private int firstByte = -1;
    private @Nullable State first;
    private @Nullable State @Nullable [] next;

    /** Tokens that may follow, once computed. */
    @Nullable BitSet mask;

    /** With the mask: the most bytes that the shortest end has after any of its tokens. */
    long maxBytesToEnd;

    /** Tokens of a short end of the text, once computed. */
    int @Nullable [] ending;

    private State(Item[] ways, boolean complete, int bits, int left, int length) {
      this.ways = ways;
      this.complete = complete;
      this.bits = bits;
      this.left = left;
      this.length = length;
      long min = complete ? 0 : Rules.NEVER;
      boolean tokens = false;
      for (Item way : ways) {
        min = Math.min(min, Automaton.this.bytes(way, left));
        Program.Step step = program.step(way.node);
        tokens |=
            step instanceof Program.Step.MatchToken || step instanceof Program.Step.MatchTokens;
      }
      this.bytes = min;
      this.takesTokens = tokens;
    }

    Automaton automaton() {
      return Automaton.this;
    }

    /** Whether the text may end here. */
    boolean isComplete() {
      return complete;
    }

    /** Whether the text must end here. */
    boolean mustEnd() {
      return ways.length == 0;
    }

    /** Whether a token of its own, not its text, may follow. */
    boolean takesTokens() {
      return takesTokens;
    }

    /**
     * The tokens that may follow as themselves, not by their text.
     *
     * @param size of the vocabulary
     */
    BitSet ownTokens(int size) {
      BitSet tokens = new BitSet(size);
      for (Item way : ways) {
        switch (program.step(way.node)) {
          case Program.Step.MatchTokens(BitSet ids) -> tokens.or(ids);
          case Program.Step.MatchToken step when step.negated() -> tokens.set(0, size);
          case Program.Step.MatchToken step -> tokens.set(step.id());
          default -> {}
        }
      }
      return tokens;
    }

    /** The bytes of the shortest end of the text; a token that stands for itself counts as one. */
    long bytesToEnd() {
      return bytes;
    }

    /** After one more byte of text; null if it may not follow. */
    @Nullable State after(int b) {
      State after = b == firstByte ? first : next == null ? null : next[b];
      if (after == null) {
        after = compute(b);
        remember(b, after);
      }
      return after == dead ? null : after;
    }

    /** Many states are left in one way only: they need no table. */
    private void remember(int b, State after) {
      if (first == null) {
        first = after;
        firstByte = b;
        return;
      }
      if (next == null) {
        next = new State[256];
      }
      next[b] = after;
    }

    /** After a token that stands for itself; null if it may not follow. */
    @Nullable State afterToken(int token) {
      List<Item> items = new ArrayList<>();
      for (Item way : ways) {
        if (program.step(way.node).matches(token)) {
          items.add(new Item(program.next(way.node), 0, way.frame));
        }
      }
      if (items.isEmpty()) {
        return null;
      }
      State after = settle(items);
      return after == dead ? null : after;
    }

    private State compute(int b) {
      int bitsNow;
      int leftNow;
      int lengthNow;
      if (left == 0) {
        lengthNow = Utf8.lengthFromFirst(b);
        if (lengthNow == 0) {
          return dead;
        }
        bitsNow = Utf8.firstBits(b, lengthNow);
        leftNow = lengthNow - 1;
      } else {
        if ((b & 0xC0) != 0x80) {
          return dead;
        }
        bitsNow = bits << 6 | (b & 0x3F);
        leftNow = left - 1;
        lengthNow = length;
      }
      int low = Utf8.lowest(bitsNow, leftNow, lengthNow);
      int high = Utf8.highest(bitsNow, leftNow, lengthNow);
      List<Item> items = new ArrayList<>();
      for (Item way : ways) {
        if (low <= high
            && program.step(way.node) instanceof Program.Step.Match(CharSet set)
            && set.first(low, high) >= 0) {
          items.add(leftNow > 0 ? way : new Item(program.next(way.node), 0, way.frame));
        }
      }
      return leftNow > 0 ? intern(items, false, bitsNow, leftNow, lengthNow) : settle(items);
    }

    /**
     * The first step of the shortest end of the text: a byte, {@code 256 + token}, or {@code −1 −
     * token} for any token but that.
     */
    int shortest() {
      Item best = null;
      for (Item way : ways) {
        if (best == null || Automaton.this.bytes(way, left) < Automaton.this.bytes(best, left)) {
          best = way;
        }
      }
      if (best == null) {
        throw new IllegalStateException("the text has ended");
      }
      return switch (program.step(best.node)) {
        case Program.Step.MatchToken(int id, boolean negated) -> negated ? -1 - id : 256 + id;
        case Program.Step.MatchTokens(BitSet ids) -> 256 + ids.nextSetBit(0);
        case Program.Step.Match(CharSet set) -> {
          int c =
              left == 0
                  ? readable(set)
                  : set.first(Utf8.lowest(bits, left, length), Utf8.highest(bits, left, length));
          yield Utf8.byteOf(c, left == 0 ? 0 : length - left);
        }
        default -> throw new IllegalStateException("a way stands at no character");
      };
    }
  }

  private final Program program;
  private final Map<FrameKey, Frame> frames = new HashMap<>();
  private final Map<StateKey, State> states = new HashMap<>();
  private final State dead;
  private final State start;
  private int statesAtStart;
  private int framesAtStart;

  Automaton(Program program) {
    this.program = program;
    this.dead = new State(new Item[0], false, 0, 0, 0);
    this.start = settle(List.of(new Item(program.start(), 0, null)));
  }

  State start() {
    return start;
  }

  /** Whether so much is remembered that it is time to {@link #adopt} into a new one. */
  boolean isFull() {
    return states.size() - statesAtStart > MAX_STATES || frames.size() - framesAtStart > MAX_FRAMES;
  }

  /** The same state of another automaton of the same program. */
  State adopt(State other) {
    List<Item> items = new ArrayList<>();
    for (Item way : other.ways) {
      ArrayDeque<Frame> chain = new ArrayDeque<>();
      for (Frame f = way.frame; f != null; f = f.parent) {
        chain.push(f);
      }
      Frame mine = null;
      for (Frame f : chain) {
        mine = frame(f.node, f.count, mine);
      }
      items.add(new Item(way.node, way.count, mine));
    }
    statesAtStart = states.size();
    framesAtStart = frames.size();
    return intern(items, other.complete, other.bits, other.left, other.length);
  }

  /** The state of either of two; null for a state that cannot be. */
  @Nullable State either(@Nullable State a, @Nullable State b) {
    if (a == null || b == null || a == b) {
      return a == null ? b : a;
    }
    if (a.left != b.left || a.bits != b.bits) {
      return a.left == 0 ? a : b; // one ends inside a character, which then only it can complete
    }
    Set<Item> items = new HashSet<>(Arrays.asList(a.ways));
    items.addAll(Arrays.asList(b.ways));
    return intern(new ArrayList<>(items), a.complete || b.complete, a.bits, a.left, a.length);
  }

  /** A character of a set that needs few bytes; a letter rather than a control character. */
  private static int readable(CharSet set) {
    for (int c : new int[] {set.first('a', 'z'), set.first('0', '9'), set.first(' ', '~')}) {
      if (c >= 0) {
        return c;
      }
    }
    return set.first(0, CharSet.MAX);
  }

  /** The fewest bytes to the end, with so many left of a character that has begun. */
  private long bytes(Item item, int left) {
    long own =
        left > 0
            ? left + program.cost(program.next(item.node))
            : program.cost(item.node, item.count);
    return Rules.add(own, item.frame == null ? 0 : item.frame.bytes);
  }

  private @Nullable Frame frame(int node, int count, @Nullable Frame parent) {
    var key = new FrameKey(node, count, parent == null ? -1 : parent.id);
    Frame known = frames.get(key);
    if (known == null) {
      long bytes = Rules.add(program.cost(node, count), parent == null ? 0 : parent.bytes);
      known = new Frame(frames.size(), node, count, parent, bytes);
      frames.put(key, known);
    }
    return known;
  }

  /** Follows everything that needs no character, until each way stands at one. */
  private State settle(List<Item> items) {
    Set<Item> seen = new HashSet<>(items);
    ArrayDeque<Item> todo = new ArrayDeque<>(items);
    List<Item> ways = new ArrayList<>();
    boolean complete = false;
    for (Item item = todo.poll(); item != null; item = todo.poll()) {
      if (seen.size() > MAX_STEPS || ways.size() > MAX_WAYS) {
        throw new GrammarException(
            "too ambiguous: there are more than %d ways to read the text so far"
                .formatted(Math.min(ways.size(), MAX_WAYS)));
      }
      Frame frame = item.frame;
      switch (program.step(item.node)) {
        case Program.Step.Match match -> ways.add(item);
        case Program.Step.MatchToken token -> ways.add(item);
        case Program.Step.MatchTokens tokens -> ways.add(item);
        case Program.Step.Return end -> {
          if (frame == null) {
            complete = true;
          } else {
            push(todo, seen, new Item(frame.node, frame.count, frame.parent));
          }
        }
        case Program.Step.Call(int rule) -> {
          int next = program.next(item.node);
          Frame back = next == Program.RETURN ? frame : frame(next, 0, frame);
          push(todo, seen, new Item(program.start(rule), 0, back));
        }
        case Program.Step.Choose(int[] options) -> {
          for (int option : options) {
            push(todo, seen, new Item(option, 0, frame));
          }
        }
        case Program.Step.Loop loop -> {
          if (item.count >= loop.min()) {
            push(todo, seen, new Item(program.next(item.node), 0, frame));
          }
          if (item.count < loop.max()) {
            // without an upper bound only the lower one needs counting
            int max = loop.max() == GrammarExpr.UNLIMITED ? loop.min() : loop.max();
            Frame back = frame(item.node, Math.min(item.count + 1, max), frame);
            push(todo, seen, new Item(loop.body(), 0, back));
          }
        }
      }
    }
    return intern(ways, complete, 0, 0, 0);
  }

  private static void push(ArrayDeque<Item> todo, Set<Item> seen, Item item) {
    if (seen.add(item)) {
      todo.add(item);
    }
  }

  private State intern(List<Item> ways, boolean complete, int bits, int left, int length) {
    if (ways.isEmpty() && !complete) {
      return dead;
    }
    ways.sort(Comparator.comparingInt(Item::node).thenComparingInt(Automaton::frameId));
    int[] values = new int[4 + 2 * ways.size()];
    values[0] = complete ? 1 : 0;
    values[1] = bits;
    values[2] = left;
    values[3] = length;
    for (int i = 0; i < ways.size(); i++) {
      values[4 + 2 * i] = ways.get(i).node;
      values[5 + 2 * i] = frameId(ways.get(i));
    }
    return states.computeIfAbsent(
        new StateKey(values, Arrays.hashCode(values)),
        key -> new State(ways.toArray(new Item[0]), complete, bits, left, length));
  }

  private static int frameId(Item item) {
    return item.frame == null ? -1 : item.frame.id;
  }
}
