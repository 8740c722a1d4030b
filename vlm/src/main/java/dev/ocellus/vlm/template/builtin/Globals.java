package dev.ocellus.vlm.template.builtin;

import dev.ocellus.vlm.template.runtime.Arguments;
import dev.ocellus.vlm.template.runtime.Callable;
import dev.ocellus.vlm.template.runtime.Cycler;
import dev.ocellus.vlm.template.runtime.Dict;
import dev.ocellus.vlm.template.runtime.Evaluation;
import dev.ocellus.vlm.template.runtime.EvaluationError;
import dev.ocellus.vlm.template.runtime.Namespace;
import dev.ocellus.vlm.template.runtime.Printing;
import dev.ocellus.vlm.template.runtime.PythonNumbers;
import dev.ocellus.vlm.template.runtime.Range;
import dev.ocellus.vlm.template.runtime.Scope;
import dev.ocellus.vlm.template.runtime.Undefined;
import dev.ocellus.vlm.template.runtime.Values;
import dev.ocellus.vlm.template.text.TracedText;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The functions that every template can call. */
public final class Globals {
  /** Holds them by name; read only, so that all renderings share it. */
  public static final Scope SCOPE = new Scope(null);

  static {
    for (String name :
        List.of(
            "range", "dict", "namespace", "cycler", "joiner", "raise_exception", "strftime_now")) {
      SCOPE.set(name, new Function(name));
    }
  }

  private Globals() {}

  private record Function(String name) implements Callable {
    @Override
    public Object call(Evaluation in, Arguments args) {
      return Globals.call(in, name, args);
    }

    @Override
    public String typeName() {
      return "function";
    }

    @Override
    public String toString() {
      return "<function " + name + ">";
    }
  }

  private static Object call(Evaluation in, String name, Arguments args) {
    return switch (name) {
      case "range" -> range(args);
      case "dict" -> dict(in, args);
      case "namespace" -> new Namespace(dict(in, args));
      case "cycler" -> new Cycler(args.positional());
      case "joiner" -> {
        @Nullable Object[] j = args.bind(name, 0, "sep");
        yield new Joiner(j[0] == null ? TracedText.trusted(", ") : j[0]);
      }
      case "raise_exception" -> {
        @Nullable Object[] r = args.bind(name, 1, "message");
        String message = r[0] == null ? "" : Printing.str(in, r[0]).text();
        throw new EvaluationError(EvaluationError.RAISED, message);
      }
      default -> {
        @Nullable Object[] f = args.bind(name, 1, "format");
        Object format = f[0];
        yield DateFormat.format(in, format == null ? TracedText.EMPTY : TextMethods.text(format));
      }
    };
  }

  private static Range range(Arguments args) {
    args.expect("range", 1, 3);
    for (Object o : args.positional()) {
      if (!PythonNumbers.isInt(o)) {
        if (o instanceof Undefined u) {
          throw u.fail();
        }
        throw EvaluationError.type(
            "'" + Values.typeName(o) + "' object cannot be interpreted as an integer");
      }
    }
    long first = PythonNumbers.toLong(args.get(0), "range");
    if (args.count() == 1) {
      return Range.of(0, first, 1);
    }
    long step = args.count() == 3 ? PythonNumbers.toLong(args.get(2), "range") : 1;
    return Range.of(first, PythonNumbers.toLong(args.get(1), "range"), step);
  }

  private static Dict dict(Evaluation in, Arguments args) {
    if (args.count() > 1) {
      throw EvaluationError.type("dict expected at most 1 argument, got " + args.count());
    }
    Dict out = new Dict();
    if (args.count() == 1) {
      Object from = args.get(0);
      if (from instanceof Dict d) {
        out.putAll(d);
      } else {
        for (Iterator<Object> it = Values.iterate(from); it.hasNext(); ) {
          in.chargeItems(1);
          List<Object> pair = Values.toList(in, it.next());
          if (pair.size() != 2) {
            throw EvaluationError.value(
                "dictionary update sequence element has length " + pair.size());
          }
          out.put(pair.get(0), pair.get(1));
        }
      }
    }
    for (Map.Entry<String, Object> e : args.named().entrySet()) {
      out.put(e.getKey(), e.getValue());
    }
    in.chargeItems(out.size());
    return out;
  }
}
