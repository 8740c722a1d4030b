package dev.ocellus.vlm.template.builtin;

import dev.ocellus.vlm.template.runtime.Arguments;
import dev.ocellus.vlm.template.runtime.Evaluation;
import dev.ocellus.vlm.template.runtime.EvaluationError;
import dev.ocellus.vlm.template.runtime.None;
import dev.ocellus.vlm.template.runtime.Printing;
import dev.ocellus.vlm.template.runtime.PythonNumbers;
import dev.ocellus.vlm.template.runtime.Sequence;
import dev.ocellus.vlm.template.runtime.TextOps;
import dev.ocellus.vlm.template.runtime.Values;
import dev.ocellus.vlm.template.text.TracedText;
import java.util.List;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/** Methods of {@code str} that look into it and tell: find, count, startswith, is… */
final class TextSearch {
  private TextSearch() {}

  /** {@code startswith} and {@code endswith}, with one string or a tuple of them. */
  static boolean affix(TracedText t, String name, Arguments args) {
    args.expect(name, 1, 3);
    TracedText part = window(t, args);
    if (part == null) {
      return false;
    }
    Object wanted = args.get(0);
    List<Object> all = wanted instanceof Sequence s && s.isTuple() ? s.items() : List.of(wanted);
    for (Object one : all) {
      if (!(one instanceof TracedText affix)) {
        throw EvaluationError.type(
            name + " first arg must be str or a tuple of str, not " + Values.typeName(one));
      }
      String a = affix.text();
      if (name.equals("startswith") ? part.text().startsWith(a) : part.text().endsWith(a)) {
        return true;
      }
    }
    return false;
  }

  /** The part that the optional start and end arguments select; null when they are out of order. */
  private static @Nullable TracedText window(TracedText t, Arguments args) {
    if (args.count() == 1) {
      return t;
    }
    int size = t.codePoints();
    int from = index(args.getOrNull(1), size, 0);
    int to = Math.min(index(args.getOrNull(2), size, size), size);
    if (from > to) {
      return null;
    }
    return t.slice(TextOps.offset(t, from), TextOps.offset(t, to));
  }

  private static int index(@Nullable Object o, int size, int absent) {
    if (o == null || o == None.NONE) {
      return absent;
    }
    long i = PythonNumbers.toLong(o, "slice index");
    return (int) Math.min(i < 0 ? Math.max(0, i + size) : i, size + 1L);
  }

  static Object find(Evaluation in, TracedText t, String name, Arguments args) {
    args.expect(name, 1, 3);
    String wanted = TextMethods.text(args.get(0)).text();
    TracedText part = window(t, args);
    if (name.equals("count")) {
      return part == null ? 0L : count(part, wanted);
    }
    int at = -1;
    if (part != null) {
      at =
          name.startsWith("r")
              ? TextOps.lastIndexOf(part.text(), wanted)
              : TextOps.indexOf(part.text(), wanted, 0);
    }
    if (at < 0 || part == null) {
      if (name.endsWith("index")) {
        throw EvaluationError.value("substring not found");
      }
      return -1L;
    }
    int start = index(args.getOrNull(1), t.codePoints(), 0);
    return (long) start + part.text().codePointCount(0, at);
  }

  private static long count(TracedText t, String wanted) {
    if (wanted.isEmpty()) {
      return t.codePoints() + 1L;
    }
    long n = 0;
    for (int at = TextOps.indexOf(t.text(), wanted, 0); at >= 0; n++) {
      at = TextOps.indexOf(t.text(), wanted, at + wanted.length());
    }
    return n;
  }

  /** The {@code is…} methods. */
  static boolean is(String s, String name) {
    return switch (name) {
      case "islower" -> LetterCase.allCased(s, false);
      case "isupper" -> LetterCase.allCased(s, true);
      case "istitle" -> LetterCase.isTitle(s);
      case "isascii" -> s.chars().allMatch(c -> c < 128);
      case "isprintable" -> s.codePoints().allMatch(Printing::isPrintable);
      case "isidentifier" -> isIdentifier(s);
      case "isspace" -> all(s, TextSearch::space);
      case "isalpha" -> all(s, Character::isLetter);
      case "isdecimal" -> all(s, Character::isDigit);
      case "isdigit" -> all(s, TextSearch::digit);
      case "isnumeric" -> all(s, TextSearch::numeric);
      default -> all(s, TextSearch::isAlphanumeric);
    };
  }

  private static boolean all(String s, IntPredicate holds) {
    return !s.isEmpty() && s.codePoints().allMatch(holds);
  }

  private static boolean space(int c) {
    return TextOps.isSpace(c);
  }

  private static boolean digit(int c) {
    return Character.isDigit(c)
        || c == 0xb2
        || c == 0xb3
        || c == 0xb9
        || (c >= 0x2070 && c <= 0x2089 && Character.getType(c) == Character.OTHER_NUMBER)
        || (c >= 0x2460 && c <= 0x2468);
  }

  static boolean isAlphanumeric(int c) {
    return Character.isLetter(c) || numeric(c);
  }

  private static boolean numeric(int c) {
    int type = Character.getType(c);
    return type == Character.DECIMAL_DIGIT_NUMBER
        || type == Character.LETTER_NUMBER
        || type == Character.OTHER_NUMBER;
  }

  static boolean isIdentifier(String s) {
    if (s.isEmpty()) {
      return false;
    }
    int first = s.codePointAt(0);
    if (first != '_' && !Character.isUnicodeIdentifierStart(first)) {
      return false;
    }
    return s.codePoints()
        .skip(1)
        .allMatch(c -> Character.isUnicodeIdentifierPart(c) && !Character.isIdentifierIgnorable(c));
  }
}
