package dev.ocellus.vlm.template.builtin;

import dev.ocellus.vlm.template.runtime.Access;
import dev.ocellus.vlm.template.runtime.Arguments;
import dev.ocellus.vlm.template.runtime.Dict;
import dev.ocellus.vlm.template.runtime.Evaluation;
import dev.ocellus.vlm.template.runtime.EvaluationError;
import dev.ocellus.vlm.template.runtime.Markup;
import dev.ocellus.vlm.template.runtime.PercentFormat;
import dev.ocellus.vlm.template.runtime.Printing;
import dev.ocellus.vlm.template.text.TextBuilder;
import dev.ocellus.vlm.template.text.TracedText;
import org.jspecify.annotations.Nullable;

/** Python's {@code str.format}. */
final class BraceFormat {
  private final Evaluation in;
  private final Arguments args;
  private final @Nullable Object mapping;
  private final boolean markup;
  private int automatic;

  private BraceFormat(Evaluation in, Arguments args, @Nullable Object mapping, boolean markup) {
    this.in = in;
    this.args = args;
    this.mapping = mapping;
    this.markup = markup;
  }

  static TracedText format(Evaluation in, TracedText format, Arguments args) {
    boolean markup = format.isMarkup();
    return new BraceFormat(in, args, null, markup).render(format, 2).asMarkup(markup);
  }

  static TracedText formatMap(Evaluation in, TracedText format, Object mapping) {
    boolean markup = format.isMarkup();
    return new BraceFormat(in, Arguments.NONE, mapping, markup).render(format, 2).asMarkup(markup);
  }

  private TracedText render(TracedText format, int levels) {
    if (levels < 0) {
      throw EvaluationError.value("Max string recursion exceeded");
    }
    String s = format.text();
    TextBuilder out = in.text();
    int at = 0;
    while (at < s.length()) {
      char c = s.charAt(at);
      if (c != '{' && c != '}') {
        int end = at;
        while (end < s.length() && s.charAt(end) != '{' && s.charAt(end) != '}') {
          end++;
        }
        out.append(format, at, end);
        at = end;
      } else if (at + 1 < s.length() && s.charAt(at + 1) == c) {
        out.append(format, at, at + 1);
        at += 2;
      } else if (c == '}') {
        throw EvaluationError.value("Single '}' encountered in format string");
      } else {
        int end = fieldEnd(s, at + 1);
        out.append(field(format.slice(at + 1, end), levels));
        at = end + 1;
      }
    }
    return in.built(out);
  }

  private static int fieldEnd(String s, int from) {
    int open = 1;
    boolean bracket = false;
    for (int i = from; i < s.length(); i++) {
      char c = s.charAt(i);
      if (c == '[') {
        bracket = true;
      } else if (c == ']') {
        bracket = false;
      } else if (c == '{' && !bracket) {
        open++;
      } else if (c == '}' && !bracket && --open == 0) {
        return i;
      }
    }
    throw EvaluationError.value(
        from >= s.length()
            ? "Single '{' encountered in format string"
            : "expected '}' before end of string");
  }

  private TracedText field(TracedText field, int levels) {
    String s = field.text();
    int nameEnd = 0;
    boolean bracket = false;
    while (nameEnd < s.length()) {
      char c = s.charAt(nameEnd);
      bracket = c == '[' || (bracket && c != ']');
      if (!bracket && (c == '!' || c == ':')) {
        break;
      }
      nameEnd++;
    }
    Object value = value(field.slice(0, nameEnd));
    int at = nameEnd;
    if (at < s.length() && s.charAt(at) == '!') {
      if (at + 1 >= s.length()) {
        throw EvaluationError.value("end of string while looking for conversion specifier");
      }
      value = converted(value, s.charAt(at + 1));
      at += 2;
    }
    if (at < s.length() && s.charAt(at) != ':') {
      throw EvaluationError.value("expected ':' after conversion specifier");
    }
    TracedText spec = at < s.length() ? render(field.slice(at + 1), levels - 1) : TracedText.EMPTY;
    TracedText out = new FormatSpec(spec).format(in, value);
    return markup
        ? Markup.escape(in, value instanceof TracedText ? out : out.plain())
        : out.plain();
  }

  private Object converted(Object value, char conversion) {
    return switch (conversion) {
      case 's' -> Printing.str(in, value);
      case 'r' -> Printing.repr(in, value);
      case 'a' -> PercentFormat.ascii(in, value);
      default -> throw EvaluationError.value("Unknown conversion specifier " + conversion);
    };
  }

  private Object value(TracedText name) {
    String s = name.text();
    int end = 0;
    while (end < s.length() && s.charAt(end) != '.' && s.charAt(end) != '[') {
      end++;
    }
    Object value = argument(name.slice(0, end));
    while (end < s.length()) {
      if (s.charAt(end) == '.') {
        int next = end + 1;
        while (next < s.length() && s.charAt(next) != '.' && s.charAt(next) != '[') {
          next++;
        }
        value = Access.attribute(in, value, name.slice(end + 1, next));
        end = next;
      } else {
        int close = s.indexOf(']', end);
        if (s.charAt(end) != '[' || close < 0) {
          throw EvaluationError.value("Missing ']' in format string");
        }
        TracedText index = name.slice(end + 1, close);
        value = Access.item(in, value, isNumber(index.text()) ? number(index.text()) : index);
        end = close + 1;
      }
    }
    return value;
  }

  private static boolean isNumber(String s) {
    return !s.isEmpty() && s.length() < 10 && s.chars().allMatch(c -> c >= '0' && c <= '9');
  }

  private static Object number(String s) {
    return Long.parseLong(s);
  }

  private Object argument(TracedText first) {
    String s = first.text();
    if (s.isEmpty() || isNumber(s)) {
      if (s.isEmpty() ? automatic < 0 : automatic > 0) {
        throw EvaluationError.value(
            "cannot mix automatic field numbering and manual field specification");
      }
      int i = s.isEmpty() ? automatic++ : (int) Long.parseLong(s);
      automatic = s.isEmpty() ? automatic : -1;
      Object value = mapping != null ? null : args.getOrNull(i);
      if (value == null) {
        throw new EvaluationError(
            "IndexError", "Replacement index " + i + " out of range for positional args tuple");
      }
      return value;
    }
    Object source = mapping;
    Object value;
    if (source == null) {
      value = args.named().get(s);
    } else {
      value = source instanceof Dict d ? d.get(first) : null;
    }
    if (value == null) {
      throw new EvaluationError("KeyError", Printing.quote(s));
    }
    return value;
  }
}
