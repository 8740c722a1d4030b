package dev.ocellus.vlm.template.runtime;

import dev.ocellus.vlm.python.PythonFloat;
import dev.ocellus.vlm.template.text.TextBuilder;
import dev.ocellus.vlm.template.text.TracedText;
import java.util.Iterator;
import java.util.List;

/** Python's {@code str} and {@code repr}. What input wrote stays input inside a printed list. */
public final class Printing {
  private Printing() {}

  /** Python's {@code str}: a string without the markup flag. */
  public static TracedText str(Evaluation in, Object o) {
    return softStr(in, o).plain();
  }

  /** {@code str}, but markup stays markup. */
  public static TracedText softStr(Evaluation in, Object o) {
    if (o instanceof TracedText t) {
      return t;
    }
    if (o instanceof Undefined) {
      return TracedText.EMPTY;
    }
    if (o instanceof Long l && l >= 0 && l <= 9) {
      return TracedText.ofAscii((char) ('0' + l));
    }
    return repr(in, o);
  }

  public static TracedText repr(Evaluation in, Object o) {
    TextBuilder out = in.text();
    repr(out, o, 0);
    return in.built(out);
  }

  @SuppressWarnings("IfChainToSwitch") // a pattern switch costs milliseconds at its first use
  private static void repr(TextBuilder out, Object o, int level) {
    if (level > Values.MAX_NESTING) {
      throw EvaluationError.limit("a value that contains itself cannot be printed");
    }
    if (o instanceof TracedText t) {
      if (t.isMarkup()) {
        out.append("Markup(");
      }
      quote(out, t);
      if (t.isMarkup()) {
        out.append(")");
      }
    } else if (o instanceof Sequence s) {
      out.append(s.isTuple() ? "(" : "[");
      items(out, s.items(), level);
      if (s.isTuple() && s.size() == 1) {
        out.append(",");
      }
      out.append(s.isTuple() ? ")" : "]");
    } else if (o instanceof Dict d) {
      dict(out, d, level);
    } else if (o instanceof DictView v) {
      out.append(v.kind().typeName).append("([");
      boolean first = true;
      for (Iterator<Object> it = v.iterator(); it.hasNext(); ) {
        out.append(first ? "" : ", ");
        repr(out, it.next(), level + 1);
        first = false;
      }
      out.append("])");
    } else if (o instanceof Namespace ns) {
      out.append("<Namespace ");
      dict(out, ns.attributes(), level + 1);
      out.append(">");
    } else {
      out.append(scalar(o));
    }
  }

  private static void items(TextBuilder out, List<Object> items, int level) {
    for (int i = 0; i < items.size(); i++) {
      out.append(i == 0 ? "" : ", ");
      repr(out, items.get(i), level + 1);
    }
  }

  private static void dict(TextBuilder out, Dict d, int level) {
    out.append("{");
    boolean first = true;
    for (Dict.Entry e : d.entries()) {
      out.append(first ? "" : ", ");
      repr(out, e.key(), level + 1);
      out.append(": ");
      repr(out, e.value(), level + 1);
      first = false;
    }
    out.append("}");
  }

  /** Numbers, truth values and None print characters that cannot spell a control token. */
  private static String scalar(Object o) {
    if (o instanceof Boolean b) {
      return b ? "True" : "False";
    }
    if (o instanceof Double d) {
      return PythonFloat.repr(d);
    }
    if (o == None.NONE) {
      return "None";
    }
    if (o instanceof Undefined) {
      return "Undefined";
    }
    if (o instanceof Range r) {
      String step = r.step() == 1 ? "" : ", " + r.step();
      return "range(" + r.start() + ", " + r.stop() + step + ")";
    }
    if (PythonNumbers.isInt(o)) {
      return o.toString();
    }
    return o instanceof Callable ? o.toString() : "<" + Values.typeName(o) + " object>";
  }

  /** The repr of an index in an error message. */
  public static String shortRepr(Object o) {
    if (o instanceof TracedText t) {
      return quote(t.text());
    }
    return o instanceof Sequence || o instanceof Dict
        ? "that is a " + Values.typeName(o)
        : scalar(o);
  }

  public static String quote(String s) {
    TextBuilder out = new TextBuilder(Integer.MAX_VALUE);
    quote(out, TracedText.trusted(s));
    return out.build().text();
  }

  private static void quote(TextBuilder out, TracedText t) {
    String s = t.text();
    char quote = s.indexOf('\'') >= 0 && s.indexOf('"') < 0 ? '"' : '\'';
    String mark = String.valueOf(quote);
    out.append(mark);
    int plainFrom = 0;
    for (int i = 0; i < s.length(); ) {
      int c = s.codePointAt(i);
      int next = i + Character.charCount(c);
      if (c == quote || c == '\\' || !isPrintable(c)) {
        out.append(t, plainFrom, i);
        out.append(escape(c), t.originAt(i));
        plainFrom = next;
      }
      i = next;
    }
    out.append(t, plainFrom, s.length());
    out.append(mark);
  }

  private static String escape(int c) {
    return switch (c) {
      case '\n' -> "\\n";
      case '\r' -> "\\r";
      case '\t' -> "\\t";
      case '\\', '\'', '"' -> "\\" + (char) c;
      default ->
          c < 0x100 ? "\\x" + hex(c, 2) : c < 0x10000 ? "\\u" + hex(c, 4) : "\\U" + hex(c, 8);
    };
  }

  public static String hex(int value, int digits) {
    String s = Integer.toHexString(value);
    return "0".repeat(Math.max(0, digits - s.length())) + s;
  }

  /** Python's {@code str.isprintable} for one character. */
  public static boolean isPrintable(int c) {
    if (c < 127) {
      return c >= 32;
    }
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.PRIVATE_USE,
          Character.UNASSIGNED,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR,
          Character.SPACE_SEPARATOR ->
          false;
      default -> true;
    };
  }
}
