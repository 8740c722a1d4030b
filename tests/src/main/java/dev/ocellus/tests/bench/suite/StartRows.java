package dev.ocellus.tests.bench.suite;

import dev.ocellus.vlm.options.LoadOptions;
import java.nio.file.Path;
import java.util.List;

/** How long a process takes until it is useful. */
final class StartRows {
  private final Sides sides;
  private final Inputs inputs;

  StartRows(Sides sides) {
    this.sides = sides;
    this.inputs = sides.inputs();
  }

  void addTo(List<Row> rows) {
    String group = "Start";
    String program = sides.program();
    Path circle = sides.root().resolve("docs/pictures/red-circle.png");
    rows.add(
        new Row(
            group,
            "ocellus --help, ms",
            "≤ 150 ms",
            false,
            () -> Finished.run(List.of(program, "--help")).wallMillis(),
            Row.NO_PEER));
    rows.add(
        new Row(
            group,
            "one question about one image, embedded model, ms",
            "≤ 350 ms",
            false,
            () -> Finished.run(List.of(program, "describe", "-q", circle.toString())).wallMillis(),
            () -> {
              LoadOptions demo = inputs.demo();
              return sides
                  .tool(
                      "llama-mtmd-cli",
                      Sides.with(
                          new String[] {"-p", "Describe the image.", "-n", "32", "-t", "1"},
                          "-m",
                          demo.model(),
                          "--mmproj",
                          String.valueOf(demo.mmproj()),
                          "--image",
                          circle,
                          "--jinja"))
                  .wallMillis();
            }));
  }
}
