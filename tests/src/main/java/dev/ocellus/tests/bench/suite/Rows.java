package dev.ocellus.tests.bench.suite;

import dev.ocellus.tests.bench.DecodeBench;
import dev.ocellus.tests.bench.ImageBench;
import dev.ocellus.tests.bench.ServingBench;
import dev.ocellus.tests.bench.TextBench;
import dev.ocellus.tests.bench.suite.Row.Measure;
import dev.ocellus.vlm.options.LoadOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.regex.Pattern;

/** What is measured, and how on both sides. */
final class Rows {
  private static final Pattern SPEEDS = Pattern.compile("\"samples_ts\": \\[\\s*([0-9.]+)");
  private static final Pattern ENCODED = Pattern.compile("encod(?:ed|ing done) in (\\d+) ms");
  private static final Pattern FIRST_TOKEN =
      Pattern.compile(
          "\"(?:image_preprocess|image_encode|prefill)\"\\s*:\\s*\\{\\s*\"ms\"\\s*:\\s*([0-9.]+)");
  private static final String PILLOW =
      """
      import sys, time
      from PIL import Image
      best = 1e9
      for i in range(5):
          start = time.perf_counter()
          Image.open(sys.argv[1]).convert("RGB").tobytes() if sys.argv[2] == "0" else \\
              Image.open(sys.argv[1]).convert("RGB").resize((int(sys.argv[2]),) * 2, Image.BICUBIC)
          best = min(best, time.perf_counter() - start)
      print("best", best * 1000)
      """;

  private final Path root;
  private final Path peer;
  private final Inputs inputs;
  private final String threads;
  private final String python;

  Rows(Path root, Path peer, Inputs inputs, int threads, String python) {
    this.root = root;
    this.peer = peer;
    this.inputs = inputs;
    this.threads = Integer.toString(threads);
    this.python = python;
  }

  List<Row> all() {
    List<Row> rows = new ArrayList<>();
    addText(rows);
    addImages(rows);
    addStart(rows);
    addServing(rows);
    return rows;
  }

  private void addText(List<Row> rows) {
    String group = "Text model (Qwen2-0.5B's shape)";
    for (String type : List.of("F16", "Q8_0", "Q4_K_M")) {
      for (String[] test :
          new String[][] {{"prefill", "pp", "256", "0"}, {"decode", "tg", "0", "24"}}) {
        String count = test[2].equals("0") ? test[3] : test[2];
        String[] sizes = {"-p", test[2], "-n", test[3], "-r", "1", "-t", threads};
        rows.add(
            new Row(
                group,
                "%s %s %s, tokens/s".formatted(test[0], count, type),
                "≥ 1.0",
                false,
                () ->
                    own(TextBench.class, with(sizes, "-m", inputs.text(type)))
                        .named(test[1] + count),
                () ->
                    tool("llama-bench", with(sizes, "-m", inputs.text(type), "-o", "jsonl"))
                        .number(SPEEDS)));
      }
    }
    rows.add(
        new Row(
            group,
            "quantize F16 to Q4_K_M, processor time, ms",
            "≤ 1.0",
            false,
            () -> quantize(List.of(root.resolve("ocellus").toString(), "quantize", "-q"), true),
            () -> quantize(List.of(peer.resolve("llama-quantize").toString()), false)));
  }

  private double quantize(List<String> program, boolean own)
      throws IOException, InterruptedException {
    Path out = Files.createTempDirectory("suite").resolve("out.gguf");
    try {
      List<String> command = new ArrayList<>(program);
      Collections.addAll(command, inputs.text("F16").toString(), out.toString(), "Q4_K_M", threads);
      return Finished.run(command).cpuMillis();
    } finally {
      Files.deleteIfExists(out);
      Files.deleteIfExists(out.getParent());
    }
  }

  private void addImages(List<Row> rows) {
    String group = "Images";
    encode(rows, "ViT-L/14-336, 1 tile", "vit-l-336", "exact", "≤ 0.9", false);
    encode(rows, "ViT-L/14-336, 1 tile", "vit-l-336", "fast", "≤ 0.5", false);
    encode(rows, "ViT-L/14-336, 5 tiles", "vit-l-336-anyres", "exact", "≤ 0.8", true);
    encode(rows, "SigLIP B/16-512, 17 tiles", "siglip-512", "exact", "≤ 0.8", true);
    rows.add(
        new Row(
            group,
            "12-megapixel JPEG to pixels, beside Pillow, ms",
            "≤ 1.0",
            false,
            () -> pixels(0),
            () -> pillow(0)));
    rows.add(
        new Row(
            group,
            "the same, and resized to 336 x 336 (bicubic), beside Pillow, ms",
            "≤ 1.0",
            false,
            () -> pixels(336),
            () -> pillow(336)));
    rows.add(
        new Row(
            group,
            "peak memory, one image and 8 tokens, Q4_K_M, MiB",
            "≤ 1.15",
            false,
            () -> describe(List.of("--image-cache", "off")).peakMib(),
            () ->
                tool(
                        "llama-mtmd-cli",
                        with(
                            visionModel(),
                            "--image",
                            photo(),
                            "-p",
                            "Describe the image.",
                            "-n",
                            "8",
                            "--jinja"))
                    .peakMib()));
    rows.add(
        new Row(
            group,
            "first token about an image, in a new process that has it on disk, beside the first time, ms",
            "≤ 0.05",
            false,
            () -> firstToken(true),
            () -> firstToken(false)));
  }

  private void encode(
      List<Row> rows, String name, String preset, String precision, String goal, boolean heavy) {
    Measure own =
        () ->
            own(
                    ImageBench.class,
                    with(
                        new String[] {"-t", threads, "-r", "1", "--vision-precision", precision},
                        "--mmproj",
                        inputs.mmproj(preset),
                        "--image",
                        photo()))
                .named("encode");
    Measure other =
        () ->
            tool(
                    "llama-mtmd-cli",
                    with(
                        new String[] {"-p", "x", "-n", "1", "-c", "8192", "-t", threads, "--jinja"},
                        "-m",
                        inputs.text("Q4_K_M"),
                        "--mmproj",
                        inputs.mmproj(preset),
                        "--image",
                        photo()))
                .sum(ENCODED);
    rows.add(
        new Row("Images", "encode %s, %s, ms".formatted(name, precision), goal, heavy, own, other));
  }

  private Path photo() throws IOException, InterruptedException {
    return inputs.image(1600, 1200, "png");
  }

  private double pixels(int side) throws IOException, InterruptedException {
    return own(
            DecodeBench.class,
            with(
                new String[] {"--side", Integer.toString(side)},
                "--image",
                inputs.image(4000, 3000, "jpg")))
        .named("best");
  }

  private double pillow(int side) throws IOException, InterruptedException {
    return Finished.run(
            List.of(
                python,
                "-c",
                PILLOW,
                inputs.image(4000, 3000, "jpg").toString(),
                Integer.toString(side)))
        .named("best");
  }

  private String[] visionModel() throws IOException, InterruptedException {
    return with(
        new String[] {"-c", "2048", "-t", threads},
        "-m",
        inputs.text("Q4_K_M"),
        "--mmproj",
        inputs.mmproj("vit-l-336"));
  }

  private Finished describe(List<String> more) throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(
            List.of(root.resolve("ocellus").toString(), "describe", "-q", "--json", "-n", "8"));
    Collections.addAll(command, visionModel());
    command.addAll(more);
    command.add(photo().toString());
    return Finished.run(command);
  }

  private double firstToken(boolean again) throws IOException, InterruptedException {
    Path cache = Files.createTempDirectory("suite-cache");
    try {
      List<String> options =
          List.of("--image-cache", cache.toString(), "--prefix-cache", cache.toString());
      double first = describe(options).sum(FIRST_TOKEN);
      return again ? describe(options).sum(FIRST_TOKEN) : first;
    } finally {
      delete(cache);
    }
  }

  private static void delete(Path folder) throws IOException {
    try (var files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  private void addStart(List<Row> rows) {
    String group = "Start";
    String program = root.resolve("ocellus").toString();
    Path circle = root.resolve("docs/pictures/red-circle.png");
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
              return tool(
                      "llama-mtmd-cli",
                      with(
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

  private void addServing(List<Row> rows) {
    String group = "8 conversations at once, 32 tokens each, beside llama-server --parallel 8";
    for (boolean images : new boolean[] {false, true}) {
      String what = images ? "Q4_K_M, every second with an image" : "Q8_0, text";
      var own = new Serving(images, List.of());
      var other = new Serving(images, List.of("--server", peer.resolve("llama-server").toString()));
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
      Collections.addAll(arguments, "-t", threads, "-n", "32", "--parallel", "8", "-m");
      arguments.add(inputs.text(images ? "Q4_K_M" : "Q8_0").toString());
      if (images) {
        arguments.addAll(
            List.of(
                "--mmproj", inputs.mmproj("vit-l-336").toString(), "--image", photo().toString()));
      }
      return own(ServingBench.class, arguments.toArray(String[]::new));
    }
  }

  /** Runs one of our benchmarks in a JVM like this one. */
  private static Finished own(Class<?> main, String... arguments)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("--enable-native-access=ALL-UNNAMED");
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
    Collections.addAll(command, arguments);
    return Finished.run(command);
  }

  private Finished tool(String name, String... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(peer.resolve(name).toString()));
    Collections.addAll(command, arguments);
    return Finished.run(command);
  }

  private static String[] with(String[] first, Object... more) {
    List<String> all = new ArrayList<>(List.of(first));
    for (Object value : more) {
      all.add(value.toString());
    }
    return all.toArray(String[]::new);
  }
}
