package dev.ocellus.quantize.inspect;

import dev.ocellus.gguf.GgufArray;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufString;
import dev.ocellus.gguf.GgufTensor;
import dev.ocellus.gguf.GgufValue;
import dev.ocellus.gguf.MetadataType;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** Renders a report as text for a terminal. */
final class ReportText {
  private static final int MAX_STRING_BYTES = 512;
  private static final int MAX_TEMPLATE_LINES = 12;

  private final GgufReport report;
  private final GgufFile file;
  private final TextOptions options;
  private final StringBuilder out = new StringBuilder();

  ReportText(GgufReport report, TextOptions options) {
    this.report = report;
    this.file = report.file();
    this.options = options;
  }

  String render() {
    summary();
    types();
    tokenizer();
    metadata();
    template();
    if (options.tensors()) {
      tensors();
    }
    return out.toString();
  }

  private void summary() {
    heading(
        format(
            "%s: GGUF version %d, %s%s",
            file.path().getFileName(),
            file.version(),
            bytes(file.byteSize()),
            file.files().size() > 1 ? " in " + file.files().size() + " files" : ""));
    TextTable t = new TextTable("ll");
    t.row("architecture", visible(report.architecture().orElse("(none)"), false));
    report.name().ifPresent(n -> t.row("name", visible(n, false)));
    report.kind().ifPresent(k -> t.row("type", visible(k, false)));
    report.fileType().ifPresent(f -> t.row("file type", f));
    t.row("parameters", format("%,d", report.parameters()));
    t.row(
        "tensors",
        format(
            "%,d, %s, %.2f bits per weight",
            file.tensors().size(), bytes(report.tensorBytes()), report.bitsPerWeight()));
    t.row("alignment", Integer.toString(file.alignment()));
    t.appendTo(out, options.width());
  }

  private void types() {
    List<GgufReport.TypeTotal> totals = report.typeTotals();
    if (totals.isEmpty()) {
      return;
    }
    heading("Tensor types");
    TextTable t = new TextTable("lrrrr");
    t.row("type", "tensors", "parameters", "size", "share");
    long all = report.tensorBytes();
    for (GgufReport.TypeTotal total : totals) {
      t.row(
          total.type().ggmlName(),
          format("%,d", total.tensors()),
          format("%,d", total.parameters()),
          bytes(total.bytes()),
          format("%.1f %%", 100.0 * total.bytes() / all));
    }
    t.appendTo(out, options.width());
  }

  private void tokenizer() {
    report
        .tokenizer()
        .ifPresent(k -> {
          heading("Tokenizer");
          TextTable t = new TextTable("ll");
          String pre = k.pre().isEmpty() ? "" : ", pre-tokenizer " + k.pre();
          t.row("model", visible(k.model() + pre, false));
          t.row("size", format("%,d tokens, %,d merges", k.tokens(), k.merges()));
          for (GgufReport.SpecialToken s : k.special()) {
            t.row(visible(s.role(), false), format("%d  %s", s.id(), visible(s.text(), false)));
          }
          t.appendTo(out, options.width());
        });
  }

  private void metadata() {
    heading("Metadata");
    TextTable t = new TextTable("lll");
    file.metadata()
        .asMap()
        .forEach((key, v) -> t.row(visible(key, false), type(v), visible(value(v), false)));
    t.appendTo(out, options.full() ? 0 : options.width());
  }

  private static String type(GgufValue v) {
    return v instanceof GgufArray a
        ? format("%s[%d]", a.elementType().shortName(), a.length())
        : v.type().shortName();
  }

  private String value(GgufValue v) {
    return switch (v) {
      case GgufString s -> options.full() ? s.value() : s.start(MAX_STRING_BYTES);
      case GgufArray a
          when options.full()
              && a.elementType() != MetadataType.ARRAY
              && a.length() <= GgufArray.MAX_BULK_ELEMENTS ->
          all(a);
      default -> v.display();
    };
  }

  private static String all(GgufArray a) {
    StringBuilder sb = new StringBuilder("[");
    for (int i = 0; i < a.length(); i++) {
      sb.append(i == 0 ? "" : ", ").append(a.displayAt(i));
    }
    return sb.append(']').toString();
  }

  private void template() {
    report
        .chatTemplate()
        .ifPresent(text -> {
          heading("Chat template");
          List<String> lines = text.lines().toList();
          int n = options.full() ? lines.size() : Math.min(lines.size(), MAX_TEMPLATE_LINES);
          for (String line : lines.subList(0, n)) {
            String shown = "  " + visible(line, true);
            out.append(TextTable.cut(shown, options.full() ? 0 : options.width())).append('\n');
          }
          if (n < lines.size()) {
            out.append(format("  … %d more lines\n", lines.size() - n));
          }
        });
  }

  private void tensors() {
    if (file.tensors().isEmpty()) {
      return;
    }
    heading("Tensors");
    TextTable t = new TextTable("llrrr");
    t.row("name", "type", "shape", "size", "offset");
    for (GgufTensor x : file.tensors()) {
      String shape = x.shape().stream().map(Object::toString).collect(Collectors.joining(" × "));
      t.row(
          visible(x.name(), false),
          x.type().ggmlName(),
          shape,
          bytes(x.byteSize()),
          Long.toString(x.offset()));
    }
    t.appendTo(out, options.width());
  }

  private void heading(String text) {
    String shown = TextTable.cut(visible(text, false), options.width());
    out.append(out.isEmpty() ? "" : "\n");
    out.append(options.ansi() ? "\u001b[1m" + shown + "\u001b[0m" : shown).append('\n');
  }

  /** Makes control characters visible: a terminal would obey the escape sequences of a file. */
  private static String visible(String s, boolean keepTabs) {
    StringBuilder sb = new StringBuilder(s.length());
    for (int i = 0; i < s.length(); i++) {
      char c = s.charAt(i);
      switch (c) {
        case '\n' -> sb.append("\\n");
        case '\r' -> sb.append("\\r");
        case '\t' -> sb.append(keepTabs ? "    " : "\\t");
        default -> {
          boolean bad = Character.isISOControl(c) || Character.getType(c) == Character.FORMAT;
          sb.append(bad ? format("\\u%04x", (int) c) : Character.toString(c));
        }
      }
    }
    return sb.toString();
  }

  /** Numbers look the same on every machine, so that output can be compared. */
  @SuppressWarnings("AnnotateFormatMethod") // the annotation would be a dependency of its own
  private static String format(String pattern, Object... args) {
    return String.format(Locale.ROOT, pattern, args);
  }

  /** A size with three digits or so, in binary units. */
  private static String bytes(long n) {
    if (n < 1024) {
      return n + " B";
    }
    double v = n;
    int unit = -1;
    while (v >= 1024 && unit < 4) {
      v /= 1024;
      unit++;
    }
    return format("%.1f %ciB", v, "KMGTP".charAt(unit));
  }
}
