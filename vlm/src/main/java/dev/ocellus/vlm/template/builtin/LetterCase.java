package dev.ocellus.vlm.template.builtin;

import dev.ocellus.vlm.template.runtime.Evaluation;
import dev.ocellus.vlm.template.runtime.Operators;
import dev.ocellus.vlm.template.runtime.TextOps;
import dev.ocellus.vlm.template.text.Origin;
import dev.ocellus.vlm.template.text.TextBuilder;
import dev.ocellus.vlm.template.text.TracedText;
import java.util.Locale;

/** Upper, lower and title case, keeping who wrote each character. */
final class LetterCase {
  private LetterCase() {}

  static TracedText upper(Evaluation in, TracedText t) {
    return convert(in, t, true);
  }

  static TracedText lower(Evaluation in, TracedText t) {
    return convert(in, t, false);
  }

  private static String convert(String s, boolean up) {
    return up ? s.toUpperCase(Locale.ROOT) : s.toLowerCase(Locale.ROOT);
  }

  private static TracedText convert(Evaluation in, TracedText t, boolean up) {
    String whole = convert(t.text(), up);
    in.charge(whole.length());
    Origin uniform = t.uniformOrigin();
    if (uniform != null) {
      return TracedText.of(whole, uniform).asMarkup(t.isMarkup());
    }
    TextBuilder out = in.text();
    int start = 0;
    int at = 0;
    for (int i = 0; i < t.pieceCount(); i++) {
      // Lengths are those of the pieces, characters those of the whole: a final sigma sees ahead.
      int length = convert(t.text().substring(start, t.pieceEnd(i)), up).length();
      start = t.pieceEnd(i);
      int end = i == t.pieceCount() - 1 ? whole.length() : Math.min(at + length, whole.length());
      out.append(whole.substring(at, end), t.pieceOrigin(i));
      at = end;
    }
    return out.build().asMarkup(t.isMarkup());
  }

  /** First character in title case, the others lower. */
  static TracedText capitalize(Evaluation in, TracedText t) {
    if (t.isEmpty()) {
      return t;
    }
    int first = t.text().offsetByCodePoints(0, 1);
    TracedText head = title(in, t.slice(0, first));
    return Operators.join(in, head, lower(in, t).slice(first)).asMarkup(t.isMarkup());
  }

  /** Python's {@code str.title}: a word is a run of letters that have case. */
  static TracedText title(Evaluation in, TracedText t) {
    TextBuilder out = in.text();
    String s = t.text();
    boolean inWord = false;
    for (int i = 0; i < s.length(); ) {
      int c = s.codePointAt(i);
      int next = i + Character.charCount(c);
      if (inWord) {
        out.append(s.substring(i, next).toLowerCase(Locale.ROOT), t.originAt(i));
      } else if (Character.toTitleCase(c) != c || !isCased(c)) {
        out.appendCodePoint(Character.toTitleCase(c), t.originAt(i));
      } else {
        String up = s.substring(i, next).toUpperCase(Locale.ROOT);
        int head = up.offsetByCodePoints(0, 1);
        out.append(
            up.substring(0, head) + up.substring(head).toLowerCase(Locale.ROOT), t.originAt(i));
      }
      inWord = isCased(c);
      i = next;
    }
    return in.built(out).asMarkup(t.isMarkup());
  }

  static TracedText swap(Evaluation in, TracedText t) {
    TextBuilder out = in.text();
    String s = t.text();
    for (int i = 0; i < s.length(); ) {
      int next = i + Character.charCount(s.codePointAt(i));
      String c = s.substring(i, next);
      boolean upper = Character.isUpperCase(s.codePointAt(i));
      out.append(convert(c, !upper), t.originAt(i));
      i = next;
    }
    return in.built(out).asMarkup(t.isMarkup());
  }

  /** The {@code title} filter: words begin after white space, dashes and opening brackets. */
  static TracedText titleFilter(Evaluation in, TracedText t) {
    TextBuilder out = in.text();
    String s = t.text();
    for (int i = 0; i < s.length(); ) {
      int from = i;
      while (i < s.length() && isSeparator(s.charAt(i))) {
        i++;
      }
      out.append(t, from, i);
      if (i == s.length()) {
        break;
      }
      int first = s.offsetByCodePoints(i, 1);
      int end = first;
      while (end < s.length() && !isSeparator(s.charAt(end))) {
        end++;
      }
      out.append(upper(in, t.slice(i, first)));
      out.append(lower(in, t.slice(first, end)));
      i = end;
    }
    return out.build();
  }

  private static boolean isSeparator(char c) {
    return TextOps.isSpace(c) || c == '-' || c == '(' || c == '{' || c == '[' || c == '<';
  }

  static boolean isCased(int c) {
    return Character.isUpperCase(c) || Character.isLowerCase(c) || Character.isTitleCase(c);
  }

  /** Python's {@code islower} ({@code up} false) and {@code isupper}. */
  static boolean allCased(String s, boolean up) {
    boolean any = false;
    for (int i = 0; i < s.length(); ) {
      int c = s.codePointAt(i);
      i += Character.charCount(c);
      if (Character.isTitleCase(c) || (up ? Character.isLowerCase(c) : Character.isUpperCase(c))) {
        return false;
      }
      any |= isCased(c);
    }
    return any;
  }

  static boolean isTitle(String s) {
    boolean any = false;
    boolean inWord = false;
    for (int i = 0; i < s.length(); ) {
      int c = s.codePointAt(i);
      i += Character.charCount(c);
      boolean up = Character.isUpperCase(c) || Character.isTitleCase(c);
      if ((up && inWord) || (Character.isLowerCase(c) && !inWord)) {
        return false;
      }
      inWord = isCased(c);
      any |= inWord;
    }
    return any;
  }
}
