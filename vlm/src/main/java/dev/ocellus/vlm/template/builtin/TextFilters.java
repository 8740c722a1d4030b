package dev.ocellus.vlm.template.builtin;

import dev.ocellus.vlm.template.runtime.Arguments;
import dev.ocellus.vlm.template.runtime.Dict;
import dev.ocellus.vlm.template.runtime.Evaluation;
import dev.ocellus.vlm.template.runtime.EvaluationError;
import dev.ocellus.vlm.template.runtime.Markup;
import dev.ocellus.vlm.template.runtime.None;
import dev.ocellus.vlm.template.runtime.Operators;
import dev.ocellus.vlm.template.runtime.PercentFormat;
import dev.ocellus.vlm.template.runtime.Printing;
import dev.ocellus.vlm.template.runtime.PythonNumbers;
import dev.ocellus.vlm.template.runtime.Sequence;
import dev.ocellus.vlm.template.runtime.TextOps;
import dev.ocellus.vlm.template.runtime.Undefined;
import dev.ocellus.vlm.template.runtime.Values;
import dev.ocellus.vlm.template.text.TextBuilder;
import dev.ocellus.vlm.template.text.TracedText;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Filters about strings. */
final class TextFilters {
  private TextFilters() {}

  static Object apply(Evaluation in, String name, Object value, Arguments args) {
    return switch (name) {
      case "trim" -> {
        Object chars = args.bind(name, 0, "chars")[0];
        String set = chars == null || chars == None.NONE ? null : TextMethods.text(chars).text();
        yield TextOps.strip(Printing.softStr(in, value), set, true, true);
      }
      case "join" -> join(in, value, args.bind(name, 0, "d", "attribute"));
      case "replace" -> replace(in, value, args.bind(name, 2, "old", "new", "count"));
      case "upper" -> {
        Filters.none(name, args);
        yield LetterCase.upper(in, Printing.softStr(in, value));
      }
      case "lower" -> {
        Filters.none(name, args);
        yield LetterCase.lower(in, Printing.softStr(in, value));
      }
      case "capitalize" -> {
        Filters.none(name, args);
        yield LetterCase.capitalize(in, Printing.softStr(in, value));
      }
      case "title" -> {
        Filters.none(name, args);
        yield LetterCase.titleFilter(in, Printing.softStr(in, value));
      }
      case "indent" -> indent(in, value, args.bind(name, 0, "width", "first", "blank"));
      case "format" -> format(in, Printing.softStr(in, value), args);
      case "center" -> {
        Object width = Filters.or(args.bind(name, 0, "width")[0], 80L);
        long columns = PythonNumbers.toLong(width, "width");
        yield TextMethods.pad(
            in, Printing.softStr(in, value), name, columns, TracedText.ofAscii(' '));
      }
      case "truncate" ->
          truncate(in, value, args.bind(name, 0, "length", "killwords", "end", "leeway"));
      default -> { // wordcount
        Filters.none(name, args);
        yield wordCount(Printing.softStr(in, value).text());
      }
    };
  }

  private static TracedText join(Evaluation in, Object value, @Nullable Object[] args) {
    TracedText separator = Printing.softStr(in, Filters.or(args[0], TracedText.EMPTY));
    AttributePath path = AttributePath.of(args[1]);
    boolean escape = in.autoescape();
    List<TracedText> items = new ArrayList<>();
    boolean markup = separator.isMarkup();
    for (Iterator<Object> it = Values.iterate(value); it.hasNext(); ) {
      in.chargeItems(1);
      TracedText item = Printing.softStr(in, path.get(in, it.next(), null));
      markup |= item.isMarkup();
      items.add(item);
    }
    escape &= markup;
    TextBuilder out = in.text();
    for (int i = 0; i < items.size(); i++) {
      if (i > 0) {
        out.append(escape ? Markup.escape(in, separator) : separator);
      }
      out.append(escape ? Markup.escape(in, items.get(i)) : items.get(i));
    }
    return in.built(out).asMarkup(escape);
  }

  private static TracedText replace(Evaluation in, Object value, @Nullable Object[] args) {
    TracedText s = Printing.softStr(in, value);
    TracedText old = Printing.softStr(in, Filters.or(args[0], None.NONE));
    TracedText with = Printing.softStr(in, Filters.or(args[1], None.NONE));
    Object count = args[2];
    long n = count == null || count == None.NONE ? -1 : PythonNumbers.toLong(count, "count");
    if (!in.autoescape()) {
      return TextOps.replace(in, s.plain(), old.plain(), with, n).plain();
    }
    if (old.isMarkup() || (with.isMarkup() && !s.isMarkup())) {
      s = Markup.escape(in, s);
    }
    TracedText escaped = Markup.escapeFor(in, s, with);
    return TextOps.replace(in, s, old, escaped, n).asMarkup(s.isMarkup());
  }

  private static TracedText indent(Evaluation in, Object value, @Nullable Object[] args) {
    if (value instanceof Undefined u) {
      throw u.fail();
    }
    if (!(value instanceof TracedText s)) {
      throw EvaluationError.type(
          "unsupported operand type(s) for +=: '" + Values.typeName(value) + "' and 'str'");
    }
    Object width = Filters.or(args[0], 4L);
    TracedText prefix =
        width instanceof TracedText t
            ? t
            : Operators.repeatText(
                in, TracedText.ofAscii(' '), Math.max(0, PythonNumbers.toLong(width, "width")));
    boolean blank = Filters.flag(args[2]);
    TextBuilder out = in.text();
    if (Filters.flag(args[1])) {
      out.append(prefix);
    }
    boolean first = true;
    for (TracedText line : TextOps.lines(in, s.plain().concat(TracedText.ofAscii('\n')), false)) {
      if (!first) {
        out.append("\n");
        if (blank || !line.isEmpty()) {
          out.append(prefix);
        }
      }
      out.append(line);
      first = false;
    }
    return in.built(out).asMarkup(s.isMarkup());
  }

  private static Object format(Evaluation in, TracedText format, Arguments args) {
    if (args.count() > 0 && !args.named().isEmpty()) {
      throw EvaluationError.argument(
          "can't handle positional and keyword arguments at the same time");
    }
    if (args.named().isEmpty()) {
      return PercentFormat.format(in, format, Sequence.tuple(args.positional()));
    }
    Dict values = new Dict();
    args.named().forEach(values::put);
    return PercentFormat.format(in, format, values);
  }

  private static Object truncate(Evaluation in, Object value, @Nullable Object[] args) {
    long length = PythonNumbers.toLong(Filters.or(args[0], 255L), "length");
    TracedText end = TextMethods.text(Filters.or(args[2], TracedText.trusted("...")));
    Object slack = args[3];
    long leeway = slack == null || slack == None.NONE ? 5 : PythonNumbers.toLong(slack, "leeway");
    if (length < end.codePoints() || leeway < 0) {
      throw new EvaluationError("AssertionError", "length or leeway too small");
    }
    long size = Values.length(value);
    if (size <= length + leeway) {
      return value;
    }
    TracedText s = TextMethods.text(value);
    TracedText cut = s.slice(0, TextOps.offset(s, (int) length - end.codePoints()));
    if (!Filters.flag(args[1])) {
      int space = cut.text().lastIndexOf(' ');
      cut = space < 0 ? cut : cut.slice(0, space);
    }
    return Operators.concat(in, cut, end);
  }

  private static long wordCount(String s) {
    long words = 0;
    boolean inWord = false;
    for (int i = 0; i < s.length(); ) {
      int c = s.codePointAt(i);
      i += Character.charCount(c);
      boolean letter = c == '_' || TextSearch.isAlphanumeric(c);
      if (letter && !inWord) {
        words++;
      }
      inWord = letter;
    }
    return words;
  }
}
