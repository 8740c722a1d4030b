package dev.ocellus.vlm.template;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** The {@code pprint} filter: repr, with one item a line where 80 columns do not hold it. */
final class PrettyPrinter {
  private static final int WIDTH = 80;

  private final Evaluation in;
  private final TextBuilder out;

  private PrettyPrinter(Evaluation in) {
    this.in = in;
    this.out = in.text();
  }

  static Text print(Evaluation in, Object value) {
    in.steps(Values.weight(value) * (Values.depth(value) + 1));
    PrettyPrinter printer = new PrettyPrinter(in);
    printer.write(value, 0, 0);
    return in.built(printer.out);
  }

  /** Dicts print with their keys in order. */
  private Object sorted(Object o) {
    if (o instanceof Dict d) {
      List<Dict.Entry> entries = new ArrayList<>(d.entries());
      Comparator<Object> order = Comparison.order(in);
      try {
        entries.sort((a, b) -> order.compare(a.key(), b.key()));
      } catch (Fail unordered) {
        entries.sort(Comparator.comparing(e -> Values.typeName(e.key())));
      }
      Dict out = new Dict(entries.size());
      for (Dict.Entry e : entries) {
        out.put(e.key(), sorted(e.value()));
      }
      return out;
    }
    if (o instanceof Sequence s) {
      List<Object> items = new ArrayList<>(s.size());
      for (Object item : s.items()) {
        items.add(sorted(item));
      }
      return s.isTuple() ? Sequence.tuple(items) : Sequence.list(items);
    }
    return o;
  }

  private void write(Object o, int indent, int allowance) {
    Object value = sorted(o);
    Text repr = Printing.repr(in, value);
    if (repr.codePoints() <= WIDTH - indent - allowance
        || !(value instanceof Dict || value instanceof Sequence)) {
      out.append(repr);
      return;
    }
    if (value instanceof Dict d) {
      out.append("{");
      int left = d.size();
      for (Dict.Entry e : d.entries()) {
        Text key = Printing.repr(in, e.key());
        out.append(key).append(": ");
        left--;
        write(e.value(), indent + key.codePoints() + 3, left == 0 ? allowance + 1 : 1);
        separate(left, indent + 1);
      }
      out.append("}");
    } else if (value instanceof Sequence s) {
      out.append(s.isTuple() ? "(" : "[");
      for (int i = 0; i < s.size(); i++) {
        int left = s.size() - i - 1;
        write(s.get(i), indent + 1, left == 0 ? allowance + 1 : 1);
        separate(left, indent + 1);
      }
      out.append(s.isTuple() ? (s.size() == 1 ? ",)" : ")") : "]");
    }
  }

  private void separate(int left, int indent) {
    if (left > 0) {
      out.append(",\n").repeat(" ", indent, Origin.TEMPLATE);
    }
  }
}
