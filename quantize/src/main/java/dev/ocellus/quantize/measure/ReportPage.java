package dev.ocellus.quantize.measure;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** A {@link ComparisonReport} as a page that needs nothing else: tables, and charts as SVG. */
public final class ReportPage {
  private static final String STYLE =
      """
      body { font: 15px/1.5 system-ui, sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; color: #222; }
      table { border-collapse: collapse; margin: 1em 0; } td, th { padding: .2em .8em; border-bottom: 1px solid #ddd; text-align: left; }
      td.n { text-align: right; font-variant-numeric: tabular-nums; } svg { max-width: 100%; height: auto; }
      svg text { font: 11px system-ui, sans-serif; fill: #333; } .bar { fill: #3b76b0; } .axis { stroke: #999; }
      """;

  private final StringBuilder html = new StringBuilder();

  private ReportPage() {}

  /** The page. */
  public static String of(ComparisonReport report) {
    var page = new ReportPage();
    page.write(report);
    return page.html.toString();
  }

  private void write(ComparisonReport r) {
    add("<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">");
    add("<title>Comparison of two models</title><style>" + STYLE + "</style></head><body>");
    add("<h1>Comparison</h1>");
    table(
        List.of("", "file", "size"),
        List.of(
            List.of("reference", escape(r.a()), number(r.bytesA() / 1048576.0, 2) + " MiB"),
            List.of("compared", escape(r.b()), number(r.bytesB() / 1048576.0, 2) + " MiB")));
    if (r.text() != null) {
      divergence("Text", r.text());
    }
    if (r.chats() != null) {
      divergence("Conversations", r.chats());
      add("<p>Same answer in %d of %d conversations.</p>".formatted(r.sameAnswers(), r.nChats()));
    }
    if (!r.layers().isEmpty()) {
      add("<h2>Layers of the image encoder</h2><p>Relative error of what each computes.</p>");
      bars(r.layers());
    }
    if (!r.images().isEmpty()) {
      add("<h2>Embeddings of images</h2>");
      table(
          List.of("image", "cosine", "relative error"),
          r.images().stream()
              .map(p ->
                  List.of(
                      escape(p.name()),
                      number(p.error().cosine(), 6),
                      number(p.error().relative(), 6)))
              .toList());
    }
    weights(r);
    add("</body></html>");
  }

  private void divergence(String title, Divergence.Result r) {
    add("<h2>" + title + "</h2>");
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("predictions", Long.toString(r.nTokens())));
    rows.add(List.of("KL divergence, mean", estimate(r.kl(), 6)));
    rows.add(List.of("same top token", estimate(r.sameTop(), 5)));
    rows.add(List.of("perplexity of the reference", estimate(r.perplexityA(), 4)));
    rows.add(List.of("perplexity", estimate(r.perplexityB(), 4)));
    rows.add(List.of("ratio of perplexities", estimate(r.ratio(), 5)));
    rows.add(List.of("change of the probability of what comes next", estimate(r.deltaP(), 5)));
    for (Map.Entry<Double, Double> p : r.percentiles().entrySet()) {
      rows.add(List.of("KL divergence, %s %%".formatted(p.getKey()), number(p.getValue(), 6)));
    }
    rows.add(List.of("KL divergence, max", number(r.klMax(), 6)));
    table(List.of("", "value ± standard error"), rows);
    add("<p>Predictions by divergence:</p>");
    histogram(r.values());
  }

  /** One bar for each power of ten, in thirds. */
  private void histogram(float[] sorted) {
    int low = -7;
    int high = 2;
    int[] counts = new int[3 * (high - low)];
    for (float v : sorted) {
      double place = 3 * (Math.log10(Math.max(1e-30, v)) - low);
      counts[(int) Math.clamp(place, 0, counts.length - 1)]++;
    }
    int max = 1;
    for (int c : counts) {
      max = Math.max(max, c);
    }
    int width = 20 * counts.length;
    add("<svg viewBox=\"0 0 %d 190\" role=\"img\" aria-label=\"histogram\">".formatted(width));
    for (int i = 0; i < counts.length; i++) {
      double h = 150.0 * counts[i] / max;
      add(rect(20 * i + 1, 155 - h, 18, h, "%d predictions".formatted(counts[i])));
      if (i % 3 == 0) {
        String label = i == 0 ? "less" : "1e" + (low + i / 3);
        add("<text x=\"%d\" y=\"175\">%s</text>".formatted(20 * i, label));
      }
    }
    add("<line class=\"axis\" x1=\"0\" y1=\"155\" x2=\"%d\" y2=\"155\"/></svg>".formatted(width));
  }

  private void bars(List<ComparisonReport.Named> errors) {
    double max = 1e-30;
    for (ComparisonReport.Named n : errors) {
      max = Math.max(max, n.error().relative());
    }
    int height = 22 * errors.size() + 4;
    add("<svg viewBox=\"0 0 700 %d\" role=\"img\" aria-label=\"errors\">".formatted(height));
    for (int i = 0; i < errors.size(); i++) {
      ComparisonReport.Named n = errors.get(i);
      int y = 22 * i;
      add("<text x=\"0\" y=\"%d\">%s</text>".formatted(y + 14, escape(n.name())));
      double w = 340 * n.error().relative() / max;
      add(rect(230, y + 2, w, 16, "cosine " + number(n.error().cosine(), 6)));
      String at = number(235 + w, 1);
      add(
          "<text x=\"%s\" y=\"%d\">%s</text>"
              .formatted(at, y + 14, number(n.error().relative(), 6)));
    }
    add("</svg>");
  }

  private void weights(ComparisonReport r) {
    if (r.weights().isEmpty()) {
      return;
    }
    add("<h2>Weights</h2>");
    List<ComparisonReport.Named> types = new ArrayList<>();
    WeightComparison.byType(r.weights())
        .forEach((type, e) ->
            types.add(new ComparisonReport.Named(type.ggmlName(), new VectorError(1, e))));
    bars(types);
    add("<details><summary>All tensors</summary>");
    table(
        List.of("tensor", "reference", "compared", "relative error"),
        r.weights().stream()
            .map(l ->
                List.of(
                    escape(l.name()),
                    l.typeA().ggmlName(),
                    l.typeB().ggmlName(),
                    number(l.error().relative(), 6)))
            .toList());
    add("</details>");
  }

  private void table(List<String> head, List<List<String>> rows) {
    add("<table><tr>");
    head.forEach(cell -> add("<th>" + cell + "</th>"));
    add("</tr>");
    for (List<String> row : rows) {
      add("<tr>");
      for (int i = 0; i < row.size(); i++) {
        add((i == 0 ? "<td>" : "<td class=\"n\">") + row.get(i) + "</td>");
      }
      add("</tr>");
    }
    add("</table>");
  }

  private static String rect(double x, double y, double w, double h, String title) {
    return "<rect class=\"bar\" x=\"%s\" y=\"%s\" width=\"%s\" height=\"%s\"><title>%s</title></rect>"
        .formatted(number(x, 1), number(y, 1), number(w, 1), number(h, 1), escape(title));
  }

  private static String estimate(Estimate e, int digits) {
    return number(e.value(), digits) + " ± " + number(e.error(), digits);
  }

  private static String number(double value, int digits) {
    return String.format(Locale.ROOT, "%." + digits + "f", value);
  }

  /** Names come from files that anybody can have written. */
  private static String escape(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;");
  }

  private void add(String text) {
    html.append(text).append('\n');
  }
}
