package dev.ocellus.vlm.template.builtin;

import dev.ocellus.vlm.template.runtime.Access;
import dev.ocellus.vlm.template.runtime.Arguments;
import dev.ocellus.vlm.template.runtime.Evaluation;
import dev.ocellus.vlm.template.runtime.EvaluationError;
import dev.ocellus.vlm.template.runtime.Markup;
import dev.ocellus.vlm.template.runtime.None;
import dev.ocellus.vlm.template.runtime.PythonNumbers;
import dev.ocellus.vlm.template.runtime.Sequence;
import dev.ocellus.vlm.template.runtime.TextOps;
import dev.ocellus.vlm.template.runtime.Undefined;
import dev.ocellus.vlm.template.runtime.Values;
import dev.ocellus.vlm.template.text.Origin;
import dev.ocellus.vlm.template.text.TextBuilder;
import dev.ocellus.vlm.template.text.TracedText;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Python's {@code str} methods. Slices and joins keep who wrote what. */
final class TextMethods {
  private static final Set<String> NAMES =
      Set.of(
          "capitalize",
          "casefold",
          "center",
          "count",
          "endswith",
          "expandtabs",
          "find",
          "format",
          "format_map",
          "index",
          "isalnum",
          "isalpha",
          "isascii",
          "isdecimal",
          "isdigit",
          "isidentifier",
          "islower",
          "isnumeric",
          "isprintable",
          "isspace",
          "istitle",
          "isupper",
          "join",
          "ljust",
          "lower",
          "lstrip",
          "partition",
          "removeprefix",
          "removesuffix",
          "replace",
          "rfind",
          "rindex",
          "rjust",
          "rpartition",
          "rsplit",
          "rstrip",
          "split",
          "splitlines",
          "startswith",
          "strip",
          "swapcase",
          "title",
          "translate",
          "upper",
          "zfill");

  private TextMethods() {}

  static boolean exists(String name) {
    return NAMES.contains(name);
  }

  static Object call(Evaluation in, TracedText t, String name, Arguments args) {
    in.countText(t);
    return switch (name) {
      case "strip", "lstrip", "rstrip" -> {
        args.expect(name, 0, 1);
        boolean left = !name.startsWith("r");
        boolean right = !name.startsWith("l");
        yield TextOps.strip(t, stringOrNull(args.getOrNull(0)), left, right);
      }
      case "split", "rsplit" -> split(in, t, name, args);
      case "startswith", "endswith" -> TextSearch.affix(t, name, args);
      case "replace" -> {
        Object[] r = required(args.bind(name, 2, "old", "new", "count"), 2);
        TracedText with = Markup.escapeFor(in, t, text(r[1]));
        yield TextOps.replace(in, t, text(r[0]), with, number(args, 2, "count", -1))
            .asMarkup(t.isMarkup());
      }
      case "join" -> {
        args.expect(name, 1, 1);
        yield join(in, t, args.get(0));
      }
      case "splitlines" -> {
        @Nullable Object[] keep = args.bind(name, 0, "keepends");
        Object keepEnds = keep[0];
        yield Sequence.list(
            new ArrayList<>(TextOps.lines(in, t, keepEnds != null && Values.truthy(keepEnds))));
      }
      case "format" -> BraceFormat.format(in, t, args);
      case "format_map" -> {
        args.expect(name, 1, 1);
        yield BraceFormat.formatMap(in, t, args.get(0));
      }
      case "find", "index", "rfind", "rindex", "count" -> TextSearch.find(in, t, name, args);
      case "partition", "rpartition" -> {
        args.expect(name, 1, 1);
        yield partition(t, text(args.get(0)), name.equals("rpartition"));
      }
      case "removeprefix" -> {
        args.expect(name, 1, 1);
        TracedText prefix = text(args.get(0));
        yield t.text().startsWith(prefix.text()) ? t.slice(prefix.length()) : t;
      }
      case "removesuffix" -> {
        args.expect(name, 1, 1);
        TracedText suffix = text(args.get(0));
        boolean ends = !suffix.isEmpty() && t.text().endsWith(suffix.text());
        yield ends ? t.slice(0, t.length() - suffix.length()) : t;
      }
      case "center", "ljust", "rjust" -> {
        args.expect(name, 1, 2);
        Object fill = args.getOrNull(1);
        yield pad(
            in,
            t,
            name,
            number(args, 0, "width", 0),
            fill == null ? TracedText.ofAscii(' ') : fillChar(fill));
      }
      case "zfill" -> {
        args.expect(name, 1, 1);
        yield zfill(in, t, number(args, 0, "width", 0));
      }
      case "expandtabs" -> expandTabs(in, t, Math.max(0, number(args, 0, "tabsize", 8)));
      case "translate" -> {
        args.expect(name, 1, 1);
        yield translate(in, t, args.get(0));
      }
      default -> {
        args.expect(name, 0, 0);
        yield name.startsWith("is")
            ? (Object) TextSearch.is(t.text(), name)
            : changeCase(in, t, name);
      }
    };
  }

  private static TracedText changeCase(Evaluation in, TracedText t, String name) {
    return switch (name) {
      case "upper" -> LetterCase.upper(in, t);
      case "lower" -> LetterCase.lower(in, t);
      case "title" -> LetterCase.title(in, t);
      case "capitalize" -> LetterCase.capitalize(in, t);
      case "swapcase" -> LetterCase.swap(in, t);
      default -> caseFold(in, t);
    };
  }

  private static TracedText caseFold(Evaluation in, TracedText t) {
    TextBuilder out = in.text();
    String s = t.text();
    for (int i = 0; i < s.length(); ) {
      int next = i + Character.charCount(s.codePointAt(i));
      String c = s.substring(i, next);
      String upper = c.toUpperCase(Locale.ROOT);
      // Characters that grow in upper case (sharp s, ligatures) fold to what they grow into.
      out.append((upper.length() > c.length() ? upper : c).toLowerCase(Locale.ROOT), t.originAt(i));
      i = next;
    }
    return in.built(out);
  }

  private static Object split(Evaluation in, TracedText t, String name, Arguments args) {
    @Nullable Object[] a = args.bind(name, 0, "sep", "maxsplit");
    long max = a[1] == null ? -1 : PythonNumbers.toLong(a[1], "maxsplit");
    String separator = stringOrNull(a[0]);
    boolean fromRight = name.equals("rsplit");
    List<Object> parts;
    if (separator == null) {
      parts = fromRight ? TextOps.rsplitWords(in, t, max) : TextOps.splitWords(in, t, max);
    } else {
      parts =
          fromRight ? TextOps.rsplit(in, t, separator, max) : TextOps.split(in, t, separator, max);
    }
    return Sequence.list(parts);
  }

  static TracedText join(Evaluation in, TracedText separator, Object items) {
    TextBuilder out = in.text();
    int i = 0;
    if (!Values.isIterable(items)) {
      throw EvaluationError.type("can only join an iterable");
    }
    for (Object item : Values.toList(in, items)) {
      if (!(item instanceof TracedText t)) {
        throw EvaluationError.type(
            "sequence item " + i + ": expected str instance, " + Values.typeName(item) + " found");
      }
      if (i++ > 0) {
        out.append(separator);
      }
      out.append(Markup.escapeFor(in, separator, t));
    }
    return in.built(out).asMarkup(separator.isMarkup());
  }

  private static Sequence partition(TracedText t, TracedText separator, boolean last) {
    if (separator.isEmpty()) {
      throw EvaluationError.value("empty separator");
    }
    int at =
        last
            ? TextOps.lastIndexOf(t.text(), separator.text())
            : TextOps.indexOf(t.text(), separator.text(), 0);
    if (at < 0) {
      TracedText none = t.slice(0, 0);
      return Sequence.tuple(last ? List.of(none, none, t) : List.of(t, none, none));
    }
    int end = at + separator.length();
    return Sequence.tuple(List.of(t.slice(0, at), t.slice(at, end), t.slice(end)));
  }

  static TracedText pad(Evaluation in, TracedText t, String how, long width, TracedText fill) {
    long missing = width - t.codePoints();
    if (missing <= 0) {
      return t;
    }
    long before =
        switch (how) {
          case "ljust" -> 0;
          case "rjust" -> missing;
          default -> missing / 2 + (missing & width & 1);
        };
    TextBuilder out = in.text();
    out.repeat(fill.text(), before, fill.originAt(0)).append(t);
    out.repeat(fill.text(), missing - before, fill.originAt(0));
    return in.built(out).asMarkup(t.isMarkup());
  }

  private static TracedText fillChar(Object o) {
    TracedText t = text(o);
    if (t.codePoints() != 1) {
      throw EvaluationError.type("The fill character must be exactly one character long");
    }
    return t;
  }

  private static TracedText zfill(Evaluation in, TracedText t, long width) {
    long missing = width - t.codePoints();
    boolean sign = t.text().startsWith("-") || t.text().startsWith("+");
    TextBuilder out = in.text();
    out.append(t, 0, sign ? 1 : 0).repeat("0", missing, Origin.TEMPLATE);
    return in.built(out.append(t, sign ? 1 : 0, t.length())).asMarkup(t.isMarkup());
  }

  private static TracedText expandTabs(Evaluation in, TracedText t, long size) {
    TextBuilder out = in.text();
    long column = 0;
    int from = 0;
    for (int i = 0; i < t.length(); i++) {
      char c = t.text().charAt(i);
      if (c == '\t') {
        out.append(t, from, i);
        long spaces = size == 0 ? 0 : size - column % size;
        out.repeat(" ", spaces, t.originAt(i));
        column += spaces;
        from = i + 1;
      } else {
        column = c == '\n' || c == '\r' ? 0 : column + (Character.isLowSurrogate(c) ? 0 : 1);
      }
    }
    return in.built(out.append(t, from, t.length())).asMarkup(t.isMarkup());
  }

  private static TracedText translate(Evaluation in, TracedText t, Object table) {
    TextBuilder out = in.text();
    String s = t.text();
    for (int i = 0; i < s.length(); ) {
      int c = s.codePointAt(i);
      int next = i + Character.charCount(c);
      Object to = Access.item(in, table, (long) c);
      if (to instanceof TracedText replacement) {
        out.append(replacement);
      } else if (to instanceof Long code && Character.isValidCodePoint(code.intValue())) {
        out.appendCodePoint(code.intValue(), Origin.INPUT);
      } else if (to instanceof Undefined) {
        out.append(t, i, next);
      } else if (to != None.NONE) {
        throw EvaluationError.type("character mapping must return integer, None or str");
      }
      i = next;
    }
    return in.built(out);
  }

  private static Object[] required(@Nullable Object[] bound, int n) {
    Object[] out = new Object[n];
    for (int i = 0; i < n; i++) {
      Object o = bound[i];
      out[i] = o == null ? None.NONE : o;
    }
    return out;
  }

  private static long number(Arguments args, int i, String name, long absent) {
    Object o = args.getOrNull(i);
    o = o == null ? args.named().get(name) : o;
    return o == null ? absent : PythonNumbers.toLong(o, name);
  }

  static TracedText text(Object o) {
    if (o instanceof TracedText t) {
      return t;
    }
    if (o instanceof Undefined u) {
      throw u.fail();
    }
    throw EvaluationError.type("must be str, not " + Values.typeName(o));
  }

  private static @Nullable String stringOrNull(@Nullable Object o) {
    return o == null || o == None.NONE ? null : text(o).text();
  }
}
