package dev.ocellus.tests.bench.suite;

import dev.ocellus.tests.Folders;
import dev.ocellus.tests.bench.DecodeBench;
import dev.ocellus.tests.bench.ImageBench;
import dev.ocellus.tests.bench.suite.Row.Measure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.regex.Pattern;

/** Encoding and decoding images, and what an answer about one needs. */
final class ImageRows {
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

  private final Sides sides;
  private final Inputs inputs;

  ImageRows(Sides sides) {
    this.sides = sides;
    this.inputs = sides.inputs();
  }

  void addTo(List<Row> rows) {
    String group = "Images";
    int[] photo = {1600, 1200};
    encode(rows, "ViT-L/14-336, 1 tile", "vit-l-336", photo, "exact", "≤ 0.9", false);
    encode(rows, "ViT-L/14-336, 1 tile", "vit-l-336", photo, "fast", "≤ 0.5", false);
    encode(rows, "ViT-L/14-336, 5 tiles", "vit-l-336-anyres", photo, "exact", "≤ 0.8", true);
    int[] square = {1600, 1600}; // 4 x 4 tiles and the whole
    encode(rows, "SigLIP B/16-512, 17 tiles", "siglip-512", square, "exact", "≤ 0.8", true);
    int[] large = {1792, 1792}; // 128 x 128 patches, each four of them a token
    String qwen = "a quarter of Qwen2.5-VL's layers, 4096 tokens";
    encode(rows, qwen, "qwen2.5-vl", large, "fast", "≤ 0.4", true);
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
                sides
                    .tool(
                        "llama-mtmd-cli",
                        Sides.with(
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
      List<Row> rows,
      String name,
      String preset,
      int[] size,
      String precision,
      String goal,
      boolean heavy) {
    Measure own =
        () ->
            Sides.own(
                    ImageBench.class,
                    Sides.with(
                        new String[] {"-t", sides.threads(), "--vision-precision", precision},
                        "-r",
                        1,
                        "--mmproj",
                        inputs.mmproj(preset),
                        "--image",
                        inputs.image(size[0], size[1], "png")))
                .named("encode");
    Measure other =
        () ->
            sides
                .tool(
                    "llama-mtmd-cli",
                    Sides.with(
                        new String[] {"-p", "x", "-n", "1", "-c", "8192", "--jinja"},
                        "-t",
                        sides.threads(),
                        "-m",
                        inputs.text("Q4_K_M"),
                        "--mmproj",
                        inputs.mmproj(preset),
                        "--image",
                        inputs.image(size[0], size[1], "png")))
                .sum(ENCODED);
    rows.add(
        new Row("Images", "encode %s, %s, ms".formatted(name, precision), goal, heavy, own, other));
  }

  private Path photo() throws IOException, InterruptedException {
    return inputs.image(1600, 1200, "png");
  }

  private double pixels(int side) throws IOException, InterruptedException {
    return Sides.own(
            DecodeBench.class,
            Sides.with(
                new String[] {"--side", Integer.toString(side)},
                "--image",
                inputs.image(4000, 3000, "jpg")))
        .named("best");
  }

  private double pillow(int side) throws IOException, InterruptedException {
    return Finished.run(
            List.of(
                sides.python(),
                "-c",
                PILLOW,
                inputs.image(4000, 3000, "jpg").toString(),
                Integer.toString(side)))
        .named("best");
  }

  private String[] visionModel() throws IOException, InterruptedException {
    return Sides.with(
        new String[] {"-c", "2048", "-t", sides.threads()},
        "-m",
        inputs.text("Q4_K_M"),
        "--mmproj",
        inputs.mmproj("vit-l-336"));
  }

  private Finished describe(List<String> more) throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(List.of(sides.program(), "describe", "-q", "--json", "-n", "8"));
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
      Folders.delete(cache);
    }
  }
}
