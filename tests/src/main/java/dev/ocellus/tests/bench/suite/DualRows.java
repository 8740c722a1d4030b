package dev.ocellus.tests.bench.suite;

import dev.ocellus.convert.ConvertOptions;
import dev.ocellus.convert.ConvertProgress;
import dev.ocellus.convert.Converter;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.tests.bench.DualBench;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Vectors of images and texts beside open_clip, which computes in PyTorch. */
final class DualRows {
  /** Vectors of a run. */
  private static final int N = 8;

  /**
   * Runs before those that are measured, of both sides: during the first ones the JVM compiles, on
   * the cores that are to encode.
   */
  private static final int WARM_UP = 8;

  /** In F32, as PyTorch holds its weights: folders are cached in F16. */
  private static final String FILE = "model.gguf";

  /** Writes a model with random weights in open_clip's layout. */
  private static final String MAKE =
      """
      import json, os, sys, torch, open_clip
      from open_clip.tokenizer import SimpleTokenizer
      from safetensors.torch import save_file
      torch.manual_seed(1)
      name, out = sys.argv[1:]
      model = open_clip.create_model(name)
      os.makedirs(out)
      save_file({k: v.contiguous() for k, v in model.state_dict().items()},
          out + "/open_clip_model.safetensors")
      json.dump({"model_cfg": open_clip.get_model_config(name)},
          open(out + "/open_clip_config.json", "w"))
      words = SimpleTokenizer()
      ends = {"<start_of_text>": "<|startoftext|>", "<end_of_text>": "<|endoftext|>"}
      json.dump({ends.get(k, k): v for k, v in words.encoder.items()},
          open(out + "/vocab.json", "w"))
      with open(out + "/merges.txt", "w") as merges:
          print("#version: 0.2", file=merges)
          for pair in sorted(words.bpe_ranks, key=words.bpe_ranks.get):
              print(*pair, file=merges)
      """;

  /** What a user of open_clip writes; the smallest time of a vector, as ours is taken. */
  private static final String ENCODE =
      """
      import random, sys, time, torch, open_clip
      from PIL import Image
      name, threads, what, n, runs = sys.argv[1], *[int(a) for a in sys.argv[2:3]], sys.argv[3], \\
          int(sys.argv[4]), int(sys.argv[5])
      warm_up = int(sys.argv[6])
      torch.set_num_threads(threads)
      model = open_clip.create_model(name).eval()
      tokenizer = open_clip.get_tokenizer(name)
      preprocess = open_clip.image_transform(model.visual.image_size, is_train=False)
      pixels = random.Random(1)
      images = [Image.frombytes("RGB", (256, 256), pixels.randbytes(3 * 256 * 256))
          for _ in range(n)]
      text = "a photo of a dog on a beach" if what == "texts" else "a dog " * 77
      best = 1e9
      for i in range(runs + warm_up):
          start = time.perf_counter()
          with torch.inference_mode():
              if what == "images":
                  model.encode_image(torch.stack([preprocess(image) for image in images]))
              else:
                  model.encode_text(tokenizer([text] * n))
          if i >= warm_up:
              best = min(best, (time.perf_counter() - start) * 1000 / n)
      print("best", best)
      """;

  private final Sides sides;

  DualRows(Sides sides) {
    this.sides = sides;
  }

  void addTo(List<Row> rows) {
    for (String name : List.of("ViT-B-32", "ViT-L-14")) {
      boolean heavy = name.equals("ViT-L-14");
      add(rows, name, "images", "exact", "≤ 1.0", heavy);
      add(rows, name, "images", "fast", "≤ 0.67", heavy);
      add(rows, name, "texts", "exact", "≤ 1.0", heavy);
      add(rows, name, "long-texts", "exact", "≤ 1.0", heavy);
      add(rows, name, "long-texts", "fast", "≤ 0.67", heavy);
    }
  }

  private void add(
      List<Row> rows, String name, String what, String precision, String goal, boolean heavy) {
    rows.add(
        new Row(
            "Vectors beside open_clip (random weights, batches of %d)".formatted(N),
            "%s %s, %s, ms".formatted(name, title(what), precision),
            goal,
            heavy,
            () ->
                Sides.own(
                        DualBench.class,
                        Sides.with(
                            new String[] {"-m"},
                            model(name),
                            "--precision",
                            precision,
                            "-t",
                            sides.threads(),
                            "-n",
                            N,
                            "-w",
                            WARM_UP,
                            "-r",
                            3,
                            "--only",
                            what))
                    .named(what + "-best"),
            () ->
                Finished.run(
                        List.of(
                            sides.python(),
                            "-c",
                            ENCODE,
                            name,
                            sides.threads(),
                            what,
                            Integer.toString(N),
                            "3",
                            Integer.toString(WARM_UP)))
                    .named("best")));
  }

  private static String title(String what) {
    return switch (what) {
      case "images" -> "images of 256 x 256";
      case "texts" -> "texts of 9 tokens";
      default -> "texts of 77 tokens";
    };
  }

  private Path model(String name) throws IOException, InterruptedException {
    return sides
        .inputs()
        .made(
            "open_clip-" + name,
            folder -> {
              Finished.run(List.of(sides.python(), "-c", MAKE, name, folder.toString()));
              var options = ConvertOptions.defaults().withOutput(folder.resolve(FILE), null);
              Converter.convert(
                  folder, options.withTypes(OutputType.F32, OutputType.F32), ConvertProgress.NONE);
            })
        .resolve(FILE);
  }
}
