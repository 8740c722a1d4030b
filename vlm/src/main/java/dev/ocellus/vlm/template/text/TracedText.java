package dev.ocellus.vlm.template.text;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A string that remembers who wrote each of its characters.
 *
 * <p>Immutable. Equality, hash and order look at the characters alone. A text of one origin, the
 * usual case, costs one object more than its string. Indices are UTF-16 units.
 *
 * <p>A caller puts a {@code TracedText} into a template's context where a plain string would be
 * taken for input: {@link #trusted} for role names and {@code bos_token}, {@link #image} for the
 * marker of an image. Message content must never be passed as either.
 */
public final class TracedText {
  public static final TracedText EMPTY = new TracedText("", Origin.TEMPLATE, null, null, false);
  private static final TracedText[] ASCII = new TracedText[128];

  private final String value;

  /** The origin of all of it when {@code ends} is null, else of the first piece. */
  private final Origin origin;

  /** Where each piece ends; null for one piece. Neighbouring pieces differ in origin. */
  private final int @Nullable [] ends;

  private final Origin @Nullable [] origins;

  /** Python's Markup: already escaped for HTML, and escapes what is added to it. */
  private final boolean markup;

  /** Counted when first asked for; a race only counts twice. */
  private int codePoints = -1;

  private TracedText(
      String value,
      Origin origin,
      int @Nullable [] ends,
      Origin @Nullable [] origins,
      boolean markup) {
    this.value = value;
    this.origin = origin;
    this.ends = ends;
    this.origins = origins;
    this.markup = markup;
  }

  /** Text that may become control tokens: written by the template or vouched for by the caller. */
  public static TracedText trusted(String value) {
    return of(value, Origin.TEMPLATE);
  }

  /** Text from outside, which stays text whatever it spells. */
  public static TracedText input(String value) {
    return of(value, Origin.INPUT);
  }

  /** The marker that stands for one image. */
  public static TracedText image(String marker) {
    return of(marker, Origin.IMAGE);
  }

  /** Text of one origin. */
  public static TracedText of(String value, Origin origin) {
    return new TracedText(value, origin, null, null, false);
  }

  /** The pieces in order, as one text. */
  public static TracedText join(List<TracedText> pieces) {
    TextBuilder out = new TextBuilder(Integer.MAX_VALUE);
    for (TracedText piece : pieces) {
      out.append(piece);
    }
    return out.build();
  }

  static TracedText pieces(String value, int[] ends, Origin[] origins, int count) {
    if (count <= 1) {
      return new TracedText(value, count == 0 ? Origin.TEMPLATE : origins[0], null, null, false);
    }
    return new TracedText(
        value, origins[0], Arrays.copyOf(ends, count), Arrays.copyOf(origins, count), false);
  }

  /** One character that the template wrote. */
  public static TracedText ofAscii(char c) {
    TracedText known = ASCII[c];
    if (known == null) {
      known = trusted(String.valueOf(c));
      ASCII[c] = known;
    }
    return known;
  }

  /** The characters. */
  public String text() {
    return value;
  }

  /** The pieces: neighbours differ in origin, none is empty. */
  public List<Span> spans() {
    if (value.isEmpty()) {
      return List.of();
    }
    if (ends == null || origins == null) {
      return List.of(new Span(value, origin));
    }
    List<Span> spans = new ArrayList<>(ends.length);
    int start = 0;
    for (int i = 0; i < ends.length; i++) {
      spans.add(new Span(value.substring(start, ends[i]), origins[i]));
      start = ends[i];
    }
    return spans;
  }

  /** The origin of all characters, or null when they differ. */
  public @Nullable Origin uniformOrigin() {
    return ends == null ? origin : null;
  }

  /** INPUT when any character came from outside: for results that cannot be told apart. */
  public Origin cautiousOrigin() {
    if (ends == null || origins == null) {
      return origin;
    }
    for (Origin o : origins) {
      if (o == Origin.INPUT) {
        return Origin.INPUT;
      }
    }
    return Origin.TEMPLATE;
  }

  /** Where the UTF-16 unit at an index came from. */
  public Origin originAt(int index) {
    if (ends == null || origins == null) {
      return origin;
    }
    return origins[pieceAt(index)];
  }

  private int pieceAt(int index) {
    int[] e = ends;
    if (e == null) {
      return 0;
    }
    int i = Arrays.binarySearch(e, index);
    return Math.min(i >= 0 ? i + 1 : -i - 1, e.length - 1);
  }

  public int length() {
    return value.length();
  }

  public boolean isEmpty() {
    return value.isEmpty();
  }

  public boolean isMarkup() {
    return markup;
  }

  /** The same text, as markup or not: what Jinja escapes no more, or again. */
  public TracedText asMarkup(boolean wanted) {
    return wanted == markup ? this : new TracedText(value, origin, ends, origins, wanted);
  }

  public TracedText plain() {
    return asMarkup(false);
  }

  /** Characters from {@code from} (inclusive) to {@code to} (exclusive); keeps being markup. */
  public TracedText slice(int from, int to) {
    if (from == 0 && to == value.length()) {
      return this;
    }
    if (from >= to) {
      return markup ? EMPTY.asMarkup(true) : EMPTY;
    }
    String part = value.substring(from, to);
    int[] e = ends;
    Origin[] o = origins;
    if (e == null || o == null) {
      return new TracedText(part, origin, null, null, markup);
    }
    int first = pieceAt(from);
    int last = pieceAt(to - 1);
    if (first == last) {
      return new TracedText(part, o[first], null, null, markup);
    }
    int[] newEnds = new int[last - first + 1];
    for (int i = first; i <= last; i++) {
      newEnds[i - first] = Math.min(e[i], to) - from;
    }
    return new TracedText(part, o[first], newEnds, Arrays.copyOfRange(o, first, last + 1), markup);
  }

  /** As {@link #slice(int, int)}, to the end. */
  public TracedText slice(int from) {
    return slice(from, value.length());
  }

  /** Characters of both, plain. */
  public TracedText concat(TracedText other) {
    if (other.isEmpty()) {
      return plain();
    }
    if (isEmpty()) {
      return other.plain();
    }
    if (ends == null && other.ends == null && origin == other.origin) {
      return new TracedText(value.concat(other.value), origin, null, null, false);
    }
    TextBuilder out = new TextBuilder(Integer.MAX_VALUE, length() + other.length());
    return out.append(this).append(other).build();
  }

  /** Number of pieces of one origin each; one for an empty text. */
  public int pieceCount() {
    return ends == null ? 1 : ends.length;
  }

  /** Where piece {@code i} ends (exclusive), in UTF-16 units. */
  public int pieceEnd(int i) {
    return ends == null ? value.length() : ends[i];
  }

  /** Where piece {@code i} came from. */
  public Origin pieceOrigin(int i) {
    return origins == null ? origin : origins[i];
  }

  /** Length in Unicode code points: what Python counts. */
  public int codePoints() {
    int n = codePoints;
    if (n < 0) {
      n = value.codePointCount(0, value.length());
      codePoints = n;
    }
    return n;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof TracedText t && t.value.equals(value);
  }

  @Override
  public int hashCode() {
    return value.hashCode();
  }

  /** The characters. */
  @Override
  public String toString() {
    return value;
  }
}
