package dev.ocellus.vlm.template.runtime;

import dev.ocellus.vlm.python.PythonText;
import dev.ocellus.vlm.template.text.TextBuilder;
import dev.ocellus.vlm.template.text.TracedText;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** String algorithms with Python's idea of white space, lines and characters. */
public final class TextOps {
  private TextOps() {}

  /** Python's {@code str.isspace} for one character; all of them are in the basic plane. */
  public static boolean isSpace(int c) {
    return PythonText.isSpace(c);
  }

  static boolean isLineBreak(char c) {
    return (c >= 10 && c <= 13)
        || (c >= 0x1c && c <= 0x1e)
        || c == 0x85
        || c == 0x2028
        || c == 0x2029;
  }

  public static String strip(String s) {
    return TracedText.trusted(s).slice(stripStart(s, null), stripEnd(s, null)).text();
  }

  /** Index of the first character that stays; {@code chars} null strips white space. */
  static int stripStart(String s, @Nullable String chars) {
    int i = 0;
    while (i < s.length()) {
      int c = s.codePointAt(i);
      if (chars == null ? !isSpace(c) : chars.indexOf(c) < 0) {
        break;
      }
      i += Character.charCount(c);
    }
    return i;
  }

  /** Index after the last character that stays. */
  static int stripEnd(String s, @Nullable String chars) {
    int i = s.length();
    while (i > 0) {
      int c = s.codePointBefore(i);
      if (chars == null ? !isSpace(c) : chars.indexOf(c) < 0) {
        break;
      }
      i -= Character.charCount(c);
    }
    return i;
  }

  public static TracedText strip(
      TracedText t, @Nullable String chars, boolean left, boolean right) {
    int from = left ? stripStart(t.text(), chars) : 0;
    int to = right ? stripEnd(t.text(), chars) : t.length();
    return t.slice(Math.min(from, to), to);
  }

  /** UTF-16 offset of a code point index. */
  public static int offset(TracedText t, int codePoint) {
    return t.codePoints() == t.length() ? codePoint : t.text().offsetByCodePoints(0, codePoint);
  }

  /** UTF-16 offsets of all code points, and the length. */
  static int[] offsets(TracedText t) {
    int n = t.codePoints();
    int[] out = new int[n + 1];
    for (int i = 0, at = 0; i < n; i++) {
      out[i] = at;
      at += Character.charCount(t.text().codePointAt(at));
    }
    out[n] = t.length();
    return out;
  }

  /**
   * {@code String.indexOf} in linear time: Java's own is quadratic on repetitive texts, which a
   * hostile template could use to stall.
   */
  public static int indexOf(String s, String part, int from) {
    if (part.length() < 16 || (long) part.length() * s.length() < 10_000_000) {
      return s.indexOf(part, from);
    }
    int[] border = new int[part.length() + 1];
    border[0] = -1;
    for (int i = 0, k = -1; i < part.length(); ) {
      while (k >= 0 && part.charAt(i) != part.charAt(k)) {
        k = border[k];
      }
      border[++i] = ++k;
    }
    for (int i = from, k = 0; i < s.length(); i++) {
      while (k >= 0 && s.charAt(i) != part.charAt(k)) {
        k = border[k];
      }
      if (++k == part.length()) {
        return i - k + 1;
      }
    }
    return -1;
  }

  public static int lastIndexOf(String s, String part) {
    if (part.length() < 16 || (long) part.length() * s.length() < 10_000_000) {
      return s.lastIndexOf(part);
    }
    String reversed = new StringBuilder(s).reverse().toString();
    int at = indexOf(reversed, new StringBuilder(part).reverse().toString(), 0);
    return at < 0 ? -1 : s.length() - at - part.length();
  }

  public static TracedText replace(
      Evaluation in, TracedText t, TracedText old, TracedText with, long count) {
    String s = t.text();
    long left = count < 0 ? Long.MAX_VALUE : count;
    in.countText(t);
    TextBuilder out = in.text();
    int at = 0;
    if (old.isEmpty()) {
      while (left-- > 0) {
        out.append(with);
        if (at >= s.length()) {
          break;
        }
        int next = at + Character.charCount(s.codePointAt(at));
        out.append(t, at, next);
        at = next;
      }
      return in.built(out.append(t, at, s.length()));
    }
    int hit = left > 0 ? indexOf(s, old.text(), 0) : -1;
    if (hit < 0) {
      return t;
    }
    while (hit >= 0 && left-- > 0) {
      out.append(t, at, hit).append(with);
      at = hit + old.length();
      hit = left > 0 ? indexOf(s, old.text(), at) : -1;
    }
    return in.built(out.append(t, at, s.length()));
  }

  /** At separators; {@code max} negative means everywhere. */
  public static List<Object> split(Evaluation in, TracedText t, String separator, long max) {
    if (separator.isEmpty()) {
      throw EvaluationError.value("empty separator");
    }
    List<Object> out = new ArrayList<>();
    int at = 0;
    while (max < 0 || out.size() < max) {
      int hit = indexOf(t.text(), separator, at);
      if (hit < 0) {
        break;
      }
      out.add(t.slice(at, hit));
      at = hit + separator.length();
    }
    out.add(t.slice(at));
    in.charge(t.length());
    in.chargeItems(out.size());
    return out;
  }

  public static List<Object> rsplit(Evaluation in, TracedText t, String separator, long max) {
    if (max < 0) {
      return split(in, t, separator, max);
    }
    if (separator.isEmpty()) {
      throw EvaluationError.value("empty separator");
    }
    List<Object> out = new ArrayList<>();
    int end = t.length();
    while (out.size() < max) {
      int hit = end == 0 ? -1 : lastIndexOf(t.text().substring(0, end), separator);
      if (hit < 0) {
        break;
      }
      in.charge(end);
      out.add(t.slice(hit + separator.length(), end));
      end = hit;
    }
    out.add(t.slice(0, end));
    in.chargeItems(out.size());
    return out.reversed();
  }

  /** At runs of white space, from the left. */
  public static List<Object> splitWords(Evaluation in, TracedText t, long max) {
    List<Object> out = new ArrayList<>();
    String s = t.text();
    int at = 0;
    while (true) {
      while (at < s.length() && isSpace(s.charAt(at))) {
        at++;
      }
      if (at >= s.length()) {
        break;
      }
      if (max >= 0 && out.size() >= max) {
        out.add(t.slice(at, s.length()));
        break;
      }
      int start = at;
      while (at < s.length() && !isSpace(s.charAt(at))) {
        at++;
      }
      out.add(t.slice(start, at));
    }
    in.charge(t.length());
    in.chargeItems(out.size());
    return out;
  }

  public static List<Object> rsplitWords(Evaluation in, TracedText t, long max) {
    List<Object> out = new ArrayList<>();
    String s = t.text();
    int end = s.length();
    while (true) {
      while (end > 0 && isSpace(s.charAt(end - 1))) {
        end--;
      }
      if (end == 0) {
        break;
      }
      if (max >= 0 && out.size() >= max) {
        out.add(t.slice(0, end));
        break;
      }
      int start = end;
      while (start > 0 && !isSpace(s.charAt(start - 1))) {
        start--;
      }
      out.add(t.slice(start, end));
      end = start;
    }
    in.charge(t.length());
    in.chargeItems(out.size());
    return out.reversed();
  }

  public static List<TracedText> lines(Evaluation in, TracedText t, boolean keepEnds) {
    List<TracedText> out = new ArrayList<>();
    String s = t.text();
    for (int at = 0; at < s.length(); ) {
      int end = at;
      while (end < s.length() && !isLineBreak(s.charAt(end))) {
        end++;
      }
      int next = end;
      if (end < s.length()) {
        boolean pair = s.charAt(end) == '\r' && end + 1 < s.length() && s.charAt(end + 1) == '\n';
        next = end + (pair ? 2 : 1);
      }
      out.add(t.slice(at, keepEnds ? next : end));
      at = next;
    }
    in.charge(t.length());
    in.chargeItems(out.size());
    return out;
  }

  public static String asciiLower(String s) {
    StringBuilder out = new StringBuilder(s.length());
    for (int i = 0; i < s.length(); i++) {
      char c = s.charAt(i);
      out.append(c >= 'A' && c <= 'Z' ? (char) (c + 32) : c);
    }
    return out.toString();
  }
}
