package dev.ocellus.vlm.template.runtime;

import java.util.Iterator;
import java.util.NoSuchElementException;

/** Python's range: counted, not stored. */
public record Range(long start, long stop, long step) {
  /** What the sandbox of the reference allows. */
  static final int MAX_SIZE = 100_000;

  public static Range of(long start, long stop, long step) {
    if (step == 0) {
      throw EvaluationError.value("range() arg 3 must not be zero");
    }
    Range range = new Range(start, stop, step);
    if (range.exactSize() > MAX_SIZE) {
      throw new EvaluationError(
          "OverflowError",
          "Range too big. Templates may not make ranges larger than " + MAX_SIZE + ".");
    }
    return range;
  }

  private double exactSize() {
    return Math.max(0, Math.ceil(((double) stop - start) / step));
  }

  int size() {
    return (int) exactSize();
  }

  long get(int i) {
    return start + i * step;
  }

  boolean contains(long value) {
    boolean inside = step > 0 ? value >= start && value < stop : value <= start && value > stop;
    return inside && (value - start) % step == 0;
  }

  Iterator<Object> iterator() {
    int size = size();
    return new Iterator<>() {
      private int i;

      @Override
      public boolean hasNext() {
        return i < size;
      }

      @Override
      public Object next() {
        if (i >= size) {
          throw new NoSuchElementException();
        }
        return get(i++);
      }
    };
  }
}
