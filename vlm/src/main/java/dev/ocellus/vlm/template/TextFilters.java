package dev.ocellus.vlm.template;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
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
        long columns = Numbers.toLong(width, "width");
        yield TextMethods.pad(in, Printing.softStr(in, value), name, columns, Text.ofAscii(' '));
      }
      case "truncate" ->
          truncate(in, value, args.bind(name, 0, "length", "killwords", "end", "leeway"));
      case "wordcount" -> {
        Filters.none(name, args);
        yield wordCount(Printing.softStr(in, value).text());
      }
      case "wordwrap" -> WordWrap.filter(in, value, args);
      case "striptags" -> {
        Filters.none(name, args);
        yield Html.stripTags(in, Printing.str(in, value));
      }
      case "urlencode" -> {
        Filters.none(name, args);
        yield urlEncode(in, value);
      }
      case "pprint" -> {
        Filters.none(name, args);
        yield PrettyPrinter.print(in, value);
      }
      default -> xmlAttributes(in, value, args.bind(name, 0, "autospace"));
    };
  }

  private static Text join(Evaluation in, Object value, @Nullable Object[] args) {
    Text separator = Printing.softStr(in, Filters.or(args[0], Text.EMPTY));
    AttributePath path = AttributePath.of(args[1]);
    boolean escape = in.autoescape();
    List<Text> items = new ArrayList<>();
    boolean markup = separator.isMarkup();
    for (Iterator<Object> it = Values.iterate(value); it.hasNext(); ) {
      in.chargeItems(1);
      Text item = Printing.softStr(in, path.get(in, it.next(), null));
      markup |= item.isMarkup();
      items.add(item);
    }
    escape &= markup;
    TextBuilder out = in.text();
    for (int i = 0; i < items.size(); i++) {
      if (i > 0) {
        out.append(escape ? Html.escape(in, separator) : separator);
      }
      out.append(escape ? Html.escape(in, items.get(i)) : items.get(i));
    }
    return in.built(out).asMarkup(escape);
  }

  private static Text replace(Evaluation in, Object value, @Nullable Object[] args) {
    Text s = Printing.softStr(in, value);
    Text old = Printing.softStr(in, Filters.or(args[0], None.NONE));
    Text with = Printing.softStr(in, Filters.or(args[1], None.NONE));
    Object count = args[2];
    long n = count == null || count == None.NONE ? -1 : Numbers.toLong(count, "count");
    if (!in.autoescape()) {
      return TextOps.replace(in, s.plain(), old.plain(), with, n).plain();
    }
    if (old.isMarkup() || (with.isMarkup() && !s.isMarkup())) {
      s = Html.escape(in, s);
    }
    Text escaped = Html.escapeFor(in, s, with);
    return TextOps.replace(in, s, old, escaped, n).asMarkup(s.isMarkup());
  }

  private static Text indent(Evaluation in, Object value, @Nullable Object[] args) {
    if (value instanceof Undefined u) {
      throw u.fail();
    }
    if (!(value instanceof Text s)) {
      throw Fail.type(
          "unsupported operand type(s) for +=: '" + Values.typeName(value) + "' and 'str'");
    }
    Object width = Filters.or(args[0], 4L);
    Text prefix =
        width instanceof Text t
            ? t
            : Operators.repeatText(
                in, Text.ofAscii(' '), Math.max(0, Numbers.toLong(width, "width")));
    boolean blank = Filters.flag(args[2]);
    TextBuilder out = in.text();
    if (Filters.flag(args[1])) {
      out.append(prefix);
    }
    boolean first = true;
    for (Text line : TextOps.lines(in, s.plain().concat(Text.ofAscii('\n')), false)) {
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

  private static Object format(Evaluation in, Text format, Arguments args) {
    if (args.count() > 0 && !args.named().isEmpty()) {
      throw Fail.argument("can't handle positional and keyword arguments at the same time");
    }
    if (args.named().isEmpty()) {
      return PercentFormat.format(in, format, Sequence.tuple(args.positional()));
    }
    Dict values = new Dict();
    args.named().forEach(values::put);
    return PercentFormat.format(in, format, values);
  }

  private static Object truncate(Evaluation in, Object value, @Nullable Object[] args) {
    long length = Numbers.toLong(Filters.or(args[0], 255L), "length");
    Text end = TextMethods.text(Filters.or(args[2], Text.trusted("...")));
    Object slack = args[3];
    long leeway = slack == null || slack == None.NONE ? 5 : Numbers.toLong(slack, "leeway");
    if (length < end.codePoints() || leeway < 0) {
      throw new Fail("AssertionError", "length or leeway too small");
    }
    long size = Values.length(value);
    if (size <= length + leeway) {
      return value;
    }
    Text s = TextMethods.text(value);
    Text cut = s.slice(0, TextOps.offset(s, (int) length - end.codePoints()));
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

  private static Object urlEncode(Evaluation in, Object value) {
    TextBuilder out = in.text();
    if (value instanceof Text || !Values.isIterable(value)) {
      quote(out, Printing.str(in, value), "/");
      return in.built(out);
    }
    Object pairs = value instanceof Dict d ? new DictView(d, DictView.Kind.ITEMS) : value;
    boolean first = true;
    for (Iterator<Object> it = Values.iterate(pairs); it.hasNext(); ) {
      List<Object> pair = Values.toList(in, it.next());
      if (pair.size() != 2) {
        throw Fail.value("urlencode needs pairs");
      }
      out.append(first ? "" : "&");
      quote(out, Printing.str(in, pair.get(0)), " ");
      out.append("=");
      quote(out, Printing.str(in, pair.get(1)), " ");
      first = false;
    }
    return in.built(out);
  }

  /** Percent-encodes; what is in {@code safe} stays, but a space becomes a plus. */
  private static void quote(TextBuilder out, Text t, String safe) {
    String s = t.text();
    for (int i = 0; i < s.length(); ) {
      int c = s.codePointAt(i);
      int next = i + Character.charCount(c);
      boolean letter = c < 128 && Character.isLetterOrDigit(c);
      if (c == ' ' && safe.equals(" ")) {
        out.append("+", t.originAt(i));
      } else if (letter || "_.-~".indexOf(c) >= 0 || safe.indexOf(c) >= 0) {
        out.append(t, i, next);
      } else {
        for (byte b : s.substring(i, next).getBytes(StandardCharsets.UTF_8)) {
          String hex = Printing.hex(b & 0xff, 2).toUpperCase(Locale.ROOT);
          out.append("%" + hex, t.originAt(i));
        }
      }
      i = next;
    }
  }

  private static Text xmlAttributes(Evaluation in, Object value, @Nullable Object[] args) {
    if (!(value instanceof Dict d)) {
      throw new Fail(
          "AttributeError", "'" + Values.typeName(value) + "' object has no attribute 'items'");
    }
    TextBuilder out = in.text();
    boolean space = args[0] == null || Values.truthy(args[0]);
    for (Dict.Entry e : d.entries()) {
      if (e.value() == None.NONE || e.value() instanceof Undefined) {
        continue;
      }
      Text key = TextMethods.text(e.key());
      if (key.text().chars().anyMatch(c -> " \t\n\r\f\u000b/>=".indexOf(c) >= 0)) {
        throw Fail.value("Invalid character in attribute name: " + Printing.quote(key.text()));
      }
      out.append(space ? " " : "").append(Html.escape(in, key)).append("=\"");
      out.append(Html.escape(in, e.value())).append("\"");
      space = true;
    }
    return in.built(out).asMarkup(in.autoescape());
  }
}
