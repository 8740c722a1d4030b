package dev.ocellus.vlm.template.builtin;

import dev.ocellus.vlm.python.PythonJson;
import dev.ocellus.vlm.template.runtime.Arguments;
import dev.ocellus.vlm.template.runtime.Comparison;
import dev.ocellus.vlm.template.runtime.Dict;
import dev.ocellus.vlm.template.runtime.Evaluation;
import dev.ocellus.vlm.template.runtime.EvaluationError;
import dev.ocellus.vlm.template.runtime.None;
import dev.ocellus.vlm.template.runtime.Operators;
import dev.ocellus.vlm.template.runtime.Printing;
import dev.ocellus.vlm.template.runtime.PythonNumbers;
import dev.ocellus.vlm.template.runtime.Sequence;
import dev.ocellus.vlm.template.runtime.Values;
import dev.ocellus.vlm.template.text.TextBuilder;
import dev.ocellus.vlm.template.text.TracedText;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Python's {@code json.dumps}. Characters of input stay input, its quotes and braces do not. */
final class JsonWriter {
  private final Evaluation in;
  private final TextBuilder out;
  private final boolean ascii;
  private final boolean sortKeys;
  private final @Nullable TracedText indent;
  private final TracedText itemSeparator;
  private final TracedText keySeparator;

  private JsonWriter(
      Evaluation in,
      boolean ascii,
      @Nullable TracedText indent,
      @Nullable Sequence separators,
      boolean sortKeys) {
    this.in = in;
    this.out = in.text();
    this.ascii = ascii;
    this.indent = indent;
    this.sortKeys = sortKeys;
    if (separators == null) {
      this.itemSeparator = TracedText.trusted(indent == null ? ", " : ",");
      this.keySeparator = TracedText.trusted(": ");
    } else {
      if (separators.size() != 2) {
        throw EvaluationError.value("separators must be two strings");
      }
      this.itemSeparator = TextMethods.text(separators.get(0));
      this.keySeparator = TextMethods.text(separators.get(1));
    }
  }

  /** The {@code tojson} filter with the parameters that transformers gives it. */
  static TracedText filter(Evaluation in, Object value, Arguments args) {
    @Nullable Object[] a =
        args.bind("tojson", 0, "ensure_ascii", "indent", "separators", "sort_keys");
    boolean ascii = a[0] != null && Values.truthy(a[0]);
    boolean sort = a[3] != null && Values.truthy(a[3]);
    Object separators = a[2];
    if (separators == None.NONE) {
      separators = null;
    }
    if (separators != null && !(separators instanceof Sequence)) {
      throw EvaluationError.type("separators must be a tuple of two strings");
    }
    JsonWriter writer = new JsonWriter(in, ascii, indent(in, a[1]), (Sequence) separators, sort);
    writer.write(value, 0);
    return in.built(writer.out);
  }

  private static @Nullable TracedText indent(Evaluation in, @Nullable Object o) {
    if (o == null || o == None.NONE) {
      return null;
    }
    if (o instanceof TracedText t) {
      return t;
    }
    return Operators.repeatText(
        in, TracedText.ofAscii(' '), Math.max(0, PythonNumbers.toLong(o, "indent")));
  }

  private void write(Object o, int level) {
    if (o instanceof TracedText t) {
      string(t);
    } else if (o == None.NONE) {
      out.append("null");
    } else if (o instanceof Boolean b) {
      out.append(b ? "true" : "false");
    } else if (o instanceof Double d) {
      out.append(PythonJson.number(d));
    } else if (PythonNumbers.isInt(o)) {
      out.append(o.toString());
    } else if (o instanceof Sequence s) {
      list(s, level);
    } else if (o instanceof Dict d) {
      dict(d, level);
    } else {
      throw EvaluationError.type(
          "Object of type " + Values.typeName(o) + " is not JSON serializable");
    }
  }

  private void newLine(int level) {
    if (indent != null) {
      out.append("\n");
      for (int i = 0; i < level; i++) {
        out.append(indent);
      }
    }
  }

  private void list(Sequence s, int level) {
    in.steps(s.size());
    out.append("[");
    for (int i = 0; i < s.size(); i++) {
      if (i > 0) {
        out.append(itemSeparator);
      }
      newLine(level + 1);
      write(s.get(i), level + 1);
    }
    if (s.size() > 0) {
      newLine(level);
    }
    out.append("]");
  }

  private void dict(Dict d, int level) {
    in.steps(d.size());
    List<Dict.Entry> entries = new ArrayList<>(d.entries());
    if (sortKeys) {
      Comparator<Object> order = Comparison.order(in);
      entries.sort((x, y) -> order.compare(x.key(), y.key()));
    }
    out.append("{");
    for (int i = 0; i < entries.size(); i++) {
      if (i > 0) {
        out.append(itemSeparator);
      }
      newLine(level + 1);
      key(entries.get(i).key());
      out.append(keySeparator);
      write(entries.get(i).value(), level + 1);
    }
    if (!entries.isEmpty()) {
      newLine(level);
    }
    out.append("}");
  }

  private void key(Object key) {
    if (key instanceof TracedText t) {
      string(t);
    } else if (PythonNumbers.isNumber(key) || key == None.NONE) {
      out.append("\"");
      write(key, 0);
      out.append("\"");
    } else {
      throw EvaluationError.type(
          "keys must be str, int, float, bool or None, not " + Values.typeName(key));
    }
  }

  private void string(TracedText t) {
    String s = t.text();
    out.append("\"");
    int from = 0;
    for (int i = 0; i < s.length(); i++) {
      String escape = escape(s.charAt(i));
      if (!escape.isEmpty()) {
        out.append(t, from, i).append(escape, t.originAt(i));
        from = i + 1;
      }
    }
    out.append(t, from, s.length()).append("\"");
  }

  private String escape(char c) {
    return switch (c) {
      case '"' -> "\\\"";
      case '\\' -> "\\\\";
      case '\n' -> "\\n";
      case '\r' -> "\\r";
      case '\t' -> "\\t";
      case '\f' -> "\\f";
      case '\b' -> "\\b";
      default -> c < 32 || (ascii && c > 126) ? "\\u" + Printing.hex(c, 4) : "";
    };
  }
}
