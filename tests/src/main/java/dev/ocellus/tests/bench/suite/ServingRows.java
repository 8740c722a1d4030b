package dev.ocellus.tests.bench.suite;

import dev.ocellus.tests.bench.ServingBench;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;

/** Conversations that begin at once. */
final class ServingRows {
  private final Sides sides;
  private final Inputs inputs;

  ServingRows(Sides sides) {
    this.sides = sides;
    this.inputs = sides.inputs();
  }

  void addTo(List<Row> rows) {
    String group = "8 conversations at once, 32 tokens each, beside llama-server --parallel 8";
    for (boolean images : new boolean[] {false, true}) {
      String what = images ? "Q4_K_M, every second with an image" : "Q8_0, text";
      var own = new Serving(images, List.of());
      var other =
          new Serving(images, List.of("--server", sides.peer().resolve("llama-server").toString()));
      rows.add(
          new Row(
              group,
              what + ", tokens/s",
              "≥ 1.0",
              images,
              () -> own.run().named("speed"),
              () -> other.run().named("speed")));
      rows.add(
          new Row(
              group,
              what + ", mean time to first token, ms",
              "≤ 1.0",
              images,
              () -> own.sameRun().named("first"),
              () -> other.sameRun().named("first")));
    }
  }

  /** One side of the serving rows: the second row takes its values from the runs of the first. */
  private final class Serving {
    private final boolean images;
    private final List<String> more;
    private final Deque<Finished> runs = new ArrayDeque<>();

    Serving(boolean images, List<String> more) {
      this.images = images;
      this.more = more;
    }

    Finished run() throws IOException, InterruptedException {
      Finished run = serve();
      runs.add(run);
      return run;
    }

    Finished sameRun() throws IOException, InterruptedException {
      Finished run = runs.poll();
      return run != null ? run : serve();
    }

    private Finished serve() throws IOException, InterruptedException {
      List<String> arguments = new ArrayList<>(more);
      Collections.addAll(arguments, "-t", sides.threads(), "-n", "32", "--parallel", "8", "-m");
      arguments.add(inputs.text(images ? "Q4_K_M" : "Q8_0").toString());
      if (images) {
        arguments.addAll(
            List.of(
                "--mmproj",
                inputs.mmproj("vit-l-336").toString(),
                "--image",
                inputs.image(1600, 1200, "png").toString()));
      }
      return Sides.own(ServingBench.class, arguments.toArray(String[]::new));
    }
  }
}
