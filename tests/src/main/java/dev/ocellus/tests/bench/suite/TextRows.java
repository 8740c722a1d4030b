package dev.ocellus.tests.bench.suite;

import dev.ocellus.tests.bench.TextBench;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.regex.Pattern;

/** Prefill, decode and quantizing. */
final class TextRows {
  /** Runs of a process, of which the median counts: in the first ones the JVM still compiles. */
  private static final String RUNS = "4";

  private static final Pattern SPEEDS = Pattern.compile("\"samples_ts\": \\[([^]]+)]");

  private final Sides sides;
  private final Inputs inputs;

  TextRows(Sides sides) {
    this.sides = sides;
    this.inputs = sides.inputs();
  }

  void addTo(List<Row> rows) {
    String group = "Text model (Qwen2-0.5B's shape)";
    for (String type : List.of("F16", "Q8_0", "Q4_K_M")) {
      for (String[] test :
          new String[][] {{"prefill", "pp", "256", "0"}, {"decode", "tg", "0", "24"}}) {
        String count = test[2].equals("0") ? test[3] : test[2];
        String[] sizes = {"-p", test[2], "-n", test[3], "-r", RUNS, "-t", sides.threads()};
        rows.add(
            new Row(
                group,
                "%s %s %s, tokens/s".formatted(test[0], count, type),
                "≥ 1.0",
                false,
                () ->
                    Sides.own(TextBench.class, Sides.with(sizes, "-m", inputs.text(type)))
                        .median(Pattern.compile("(?m)^" + test[1] + count + " (.+)$")),
                () ->
                    sides
                        .tool(
                            "llama-bench",
                            Sides.with(sizes, "-m", inputs.text(type), "-o", "jsonl"))
                        .median(SPEEDS)));
      }
    }
    rows.add(
        new Row(
            group,
            "quantize F16 to Q4_K_M, processor time, ms",
            "≤ 1.0",
            false,
            () -> quantize(List.of(sides.program(), "quantize", "-q"), true),
            () -> quantize(List.of(sides.peer().resolve("llama-quantize").toString()), false)));
  }

  private double quantize(List<String> program, boolean own)
      throws IOException, InterruptedException {
    Path out = Files.createTempDirectory("suite").resolve("out.gguf");
    try {
      List<String> command = new ArrayList<>(program);
      Collections.addAll(
          command, inputs.text("F16").toString(), out.toString(), "Q4_K_M", sides.threads());
      return Finished.run(command).cpuMillis();
    } finally {
      Files.deleteIfExists(out);
      Files.deleteIfExists(out.getParent());
    }
  }
}
