package dev.ocellus.pickle;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Runs a pickle of any protocol as far as a state dict needs it. Nothing is looked up by name in
 * this process: a name is one of {@link KnownGlobal}'s, or the pickle is refused.
 *
 * <p>Values are {@link Nil}, {@link Skipped}, {@link Boolean}, {@link Long}, {@link BigInteger},
 * {@link Double}, {@link String}, {@code byte[]}, {@link Tuple}, {@link List} (also for sets),
 * {@link Map}, {@link KnownGlobal} and what those make. What a file can make this hold is bounded
 * by {@link PickleInput#spend}.
 *
 * <p>Format: <a
 * href="https://github.com/python/cpython/blob/3.11/Lib/pickletools.py">pickletools</a>.
 */
final class PickleMachine {
  /** None. */
  enum Nil {
    NONE
  }

  /** Stands for what is of no use here, whatever it holds. */
  enum Skipped {
    ONE
  }

  /** Compared by identity, as it may hold itself. */
  static final class Tuple {
    final List<Object> values;

    Tuple(List<Object> values) {
      this.values = values;
    }
  }

  /** Gives the storage that a persistent id of a pickle stands for. */
  interface Storages {
    Storage find(Object id);
  }

  private static final int MAX_DEPTH = 1 << 20;
  private static final int MAX_INTEGER_BYTES = 256;
  private static final int NEWEST_PROTOCOL = 5;

  private final PickleInput in;
  private final Storages storages;
  private final List<Object> stack = new ArrayList<>();
  private final List<Integer> marks = new ArrayList<>();
  private final Map<Long, Object> memo = new HashMap<>();

  private PickleMachine(PickleInput in, Storages storages) {
    this.in = in;
    this.storages = storages;
  }

  /** Reads one pickle, and leaves the input behind it. */
  static Object read(PickleInput in, Storages storages) {
    return new PickleMachine(in, storages).run();
  }

  private Object run() {
    for (int code = in.u8(); code != '.'; code = in.u8()) {
      in.spend(1);
      step(code);
    }
    Object result = pop();
    if (!stack.isEmpty() || !marks.isEmpty()) {
      throw in.bad("end", "one value", stack.size() + 1 + " values");
    }
    return result;
  }

  private void step(int code) {
    switch (code) {
      case 0x80 -> protocol();
      case 0x95 -> in.i64(); // a frame only says how much to read ahead
      case '(' -> marks.add(stack.size());
      case '0' -> pop();
      case '1' -> popToMark();
      case '2' -> push(peek());
      case 'c' -> push(KnownGlobal.of(in, in.line(), in.line()));
      case 0x93 -> stackGlobal();
      case 'R' -> call();
      case 0x81 -> newObject();
      case 'b' -> build();
      case 'Q' -> push(storages.find(pop()));
      case 'a', 'e', 0x90 -> append(code);
      case 's', 'u' -> setItems(code);
      case 'q', 'r', 'p', 0x94 -> remember(code);
      case 'h', 'j', 'g' -> recall(code);
      default -> push(literal(code));
    }
  }

  private void protocol() {
    int version = in.u8();
    if (version > NEWEST_PROTOCOL) {
      throw in.bad("protocol", "at most " + NEWEST_PROTOCOL, Integer.toString(version));
    }
  }

  private Object literal(int code) {
    return switch (code) {
      case 'N' -> Nil.NONE;
      case 0x88 -> true;
      case 0x89 -> false;
      case 'I', 'L' -> decimal(in.line());
      case 'J' -> (long) in.i32();
      case 'K' -> (long) in.u8();
      case 'M' -> (long) in.u16();
      case 0x8a -> integer(in.u8());
      case 0x8b -> integer(in.u32());
      case 'G' -> in.f64();
      case 'F' -> floating(in.line());
      case 'X' -> in.utf8(in.u32());
      case 0x8c -> in.utf8(in.u8());
      case 0x8d -> in.utf8(in.i64());
      case 'T' -> in.utf8(in.u32()); // a str of Python 2
      case 'U' -> in.utf8(in.u8());
      case 'B' -> in.bytes(in.u32());
      case 'C' -> in.bytes(in.u8());
      case 0x8e, 0x96 -> in.bytes(in.i64());
      case ')' -> new Tuple(List.of());
      case 't' -> new Tuple(popToMark());
      case 0x85 -> new Tuple(pop(1));
      case 0x86 -> new Tuple(pop(2));
      case 0x87 -> new Tuple(pop(3));
      case ']', 0x8f -> new ArrayList<>(0);
      case 'l', 0x91 -> popToMark();
      case '}' -> new LinkedHashMap<>(0);
      case 'd' -> put(new LinkedHashMap<>(), popToMark());
      default -> throw unknown(code);
    };
  }

  /**
   * What could make an object of any class, or holds a persistent id that PyTorch does not write.
   */
  private PickleFormatException unknown(int code) {
    return in.bad(
        "instruction",
        "one that a state dict needs",
        code > 32 && code < 127 ? "'" + (char) code + "'" : "0x%02x".formatted(code));
  }

  private Object decimal(String text) {
    if (text.equals("00") || text.equals("01")) {
      return text.equals("01");
    }
    String digits = text.endsWith("L") ? text.substring(0, text.length() - 1) : text;
    try {
      return small(new BigInteger(digits));
    } catch (NumberFormatException e) {
      throw in.bad("an integer", "digits", PickleFormatException.quote(text));
    }
  }

  private Object floating(String text) {
    try {
      return Double.valueOf(text);
    } catch (NumberFormatException e) {
      throw in.bad("a number", "digits", PickleFormatException.quote(text));
    }
  }

  private Object integer(long bytes) {
    if (bytes > MAX_INTEGER_BYTES) {
      throw in.bad("an integer", "at most " + MAX_INTEGER_BYTES + " bytes", Long.toString(bytes));
    }
    byte[] little = in.bytes(bytes);
    byte[] big = new byte[little.length];
    for (int i = 0; i < big.length; i++) {
      big[i] = little[big.length - 1 - i];
    }
    return big.length == 0 ? 0L : small(new BigInteger(big));
  }

  private static Object small(BigInteger value) {
    if (value.bitLength() < Long.SIZE) {
      return value.longValue();
    }
    return value;
  }

  private void stackGlobal() {
    Object name = pop();
    Object module = pop();
    if (!(name instanceof String n) || !(module instanceof String m)) {
      throw in.bad("a global", "its module and name", "other values");
    }
    push(KnownGlobal.of(in, m, n));
  }

  private void call() {
    Object arguments = pop();
    Object function = pop();
    if (!(function instanceof KnownGlobal known) || !(arguments instanceof Tuple tuple)) {
      throw in.bad("a call", "a function and a tuple", "other values");
    }
    push(known.call(in, tuple.values));
  }

  /** {@code cls.__new__(cls)}: only what is a container has this form in a state dict. */
  private void newObject() {
    Object arguments = pop();
    Object type = pop();
    if (!(type instanceof KnownGlobal known)
        || !(arguments instanceof Tuple tuple)
        || !known.isMadeEmpty()) {
      throw in.bad("a new object", "an OrderedDict", "another type");
    }
    push(known.call(in, tuple.values));
  }

  /** Attributes of a dict ({@code _metadata}) or a tensor change none of its numbers. */
  private void build() {
    pop();
    if (!(peek() instanceof Map)
        && !(peek() instanceof TensorView)
        && !(peek() instanceof Skipped)) {
      throw in.bad("attributes", "a dict or a tensor that takes them", "another value");
    }
  }

  private void append(int code) {
    List<Object> values = code == 'a' ? pop(1) : popToMark();
    if (!(peek() instanceof Skipped)) {
      list(peek()).addAll(values);
    }
  }

  private void setItems(int code) {
    List<Object> pairs = code == 's' ? pop(2) : popToMark();
    if (!(peek() instanceof Skipped)) {
      put(map(peek()), pairs);
    }
  }

  private Map<Object, Object> put(Map<Object, Object> to, List<Object> pairs) {
    if (pairs.size() % 2 != 0) {
      throw in.bad("items of a dict", "pairs", pairs.size() + " values");
    }
    for (int i = 0; i < pairs.size(); i += 2) {
      Object key = pairs.get(i);
      if (key instanceof Map || key instanceof List) {
        throw in.bad("key of a dict", "a value that cannot change", "a dict, list or set");
      }
      to.put(key, pairs.get(i + 1));
    }
    return to;
  }

  @SuppressWarnings("unchecked") // all lists here are made by this class
  private List<Object> list(Object value) {
    if (!(value instanceof List)) {
      throw in.bad("new elements", "a list or set that takes them", "another value");
    }
    return (List<Object>) value;
  }

  @SuppressWarnings("unchecked") // all maps here are made by this class
  private Map<Object, Object> map(Object value) {
    if (!(value instanceof Map)) {
      throw in.bad("new items", "a dict that takes them", "another value");
    }
    return (Map<Object, Object>) value;
  }

  private void remember(int code) {
    long index =
        switch (code) {
          case 'q' -> in.u8();
          case 'r' -> in.u32();
          case 'p' -> index(in.line());
          default -> memo.size();
        };
    memo.put(index, peek());
  }

  private void recall(int code) {
    long index =
        switch (code) {
          case 'h' -> in.u8();
          case 'j' -> in.u32();
          default -> index(in.line());
        };
    Object value = memo.get(index);
    if (value == null) {
      throw in.bad("a value of the memo", "one that was put there", "none of number " + index);
    }
    push(value);
  }

  private long index(String digits) {
    if (!(decimal(digits) instanceof Long index) || index < 0) {
      throw in.bad("a number of the memo", "digits", PickleFormatException.quote(digits));
    }
    return index;
  }

  private void push(Object value) {
    if (stack.size() == MAX_DEPTH) {
      throw in.bad("stack", "at most " + MAX_DEPTH + " values", "more");
    }
    stack.add(value);
  }

  private Object peek() {
    requireAboveMark(1);
    return stack.getLast();
  }

  private Object pop() {
    requireAboveMark(1);
    return stack.removeLast();
  }

  private List<Object> pop(int n) {
    requireAboveMark(n);
    return take(stack.size() - n);
  }

  private List<Object> popToMark() {
    if (marks.isEmpty()) {
      throw in.bad("stack", "a mark", "none");
    }
    return take(marks.removeLast());
  }

  private List<Object> take(int from) {
    List<Object> top = stack.subList(from, stack.size());
    List<Object> values = new ArrayList<>(top);
    top.clear();
    return values;
  }

  private void requireAboveMark(int n) {
    int floor = marks.isEmpty() ? 0 : marks.getLast();
    if (stack.size() - floor < n) {
      throw in.bad("stack", n + " values", Integer.toString(stack.size() - floor));
    }
  }
}
