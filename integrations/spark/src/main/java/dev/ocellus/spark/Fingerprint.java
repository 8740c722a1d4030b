package dev.ocellus.spark;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** Values as one text, which is another one for any other values. */
final class Fingerprint {
  private final StringBuilder text;

  /**
   * @param kind of what has the values
   */
  Fingerprint(String kind) {
    text = new StringBuilder(kind);
  }

  /** With a value, by its text; null is none. */
  Fingerprint add(@Nullable Object value) {
    if (value == null) {
      text.append(" -");
    } else {
      String shown = value.toString();
      text.append(' ').append(shown.length()).append(':').append(shown);
    }
    return this;
  }

  /** With texts and their number. */
  Fingerprint addAll(List<String> values) {
    add(values.size());
    values.forEach(this::add);
    return this;
  }

  @Override
  public String toString() {
    return text.toString();
  }
}
