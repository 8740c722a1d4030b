package dev.ocellus.tests.hardship;

import dev.ocellus.compute.Accelerator;
import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.ggml.Accel;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.TensorType;
import dev.ocellus.llama.Batch;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.llama.LlamaContext;
import dev.ocellus.llama.LlamaModel;
import dev.ocellus.llama.ModelOptions;
import dev.ocellus.quantize.QuantizeOptions;
import dev.ocellus.quantize.Quantizer;
import dev.ocellus.quantize.Recipe;
import dev.ocellus.tests.synthetic.SyntheticModels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * Decodes the same with two models of one process, one with an accelerator and one without, in
 * turns, and prints how they compare, whether oneDNN is loaded, and how many threads a context has
 * by default.
 */
public final class AcceleratorOnAndOff {
  private AcceleratorOnAndOff() {}

  /** Runs; the arguments are a folder for files and, where weights are to be quantized, how. */
  public static void main(String[] args) throws IOException {
    Path file = Path.of(args[0]).resolve("tiny.gguf");
    SyntheticModels.writeText("tiny", TensorType.F32, 1, file);
    if (args.length > 1) {
      file = quantized(file, Recipe.valueOf(args[1]));
    }
    ModelOptions options = ModelOptions.defaults();
    try (LlamaModel off = LlamaModel.load(file, options.withAccelerator(Accelerator.OFF))) {
      float[] before = decode(off);
      try (LlamaModel on = LlamaModel.load(file, options.withAccelerator(Accelerator.AUTO));
          GgufFile gguf = GgufFile.open(file)) {
        on.newContext(options()).close();
        System.out.println("oneDNN before a prompt: " + isOneDnnLoaded());
        float[] accelerated = decode(on);
        System.out.println("oneDNN after it: " + isOneDnnLoaded());
        float[] beside = decode(off);
        float[] again = decode(on);
        float difference = 0;
        for (int i = 0; i < before.length; i++) {
          difference = Math.max(difference, Math.abs(before[i] - accelerated[i]));
        }
        System.out.println("accelerator: " + Accel.find(Accelerator.AUTO, gguf).isPresent());
        System.out.println("off stays: " + Arrays.equals(before, beside));
        System.out.println("on repeats: " + Arrays.equals(accelerated, again));
        System.out.println("difference: " + difference);
        System.out.println("largest: " + largest(before));
      }
      System.out.println("off stays at last: " + Arrays.equals(before, decode(off)));
    }
    System.out.println("threads: " + ContextOptions.defaults().nThreads());
    System.out.println("survived");
  }

  private static ContextOptions options() {
    return ContextOptions.defaults().withContext(64).withThreads(2, 2);
  }

  /** On Linux; elsewhere nobody can tell. */
  private static boolean isOneDnnLoaded() throws IOException {
    Path maps = Path.of("/proc/self/maps");
    return Files.exists(maps) && Files.readString(maps).contains("libdnnl");
  }

  private static float largest(float[] values) {
    float largest = 0;
    for (float value : values) {
      largest = Math.max(largest, Math.abs(value));
    }
    return largest;
  }

  private static Path quantized(Path file, Recipe recipe) throws IOException {
    Path out = file.resolveSibling("quantized.gguf");
    try (GgufFile gguf = GgufFile.open(file)) {
      var plan = Quantizer.plan(gguf, QuantizeOptions.of(recipe));
      Quantizer.run(gguf, plan, out, (i, n, t) -> {}, new CancellationFlag());
    }
    return out;
  }

  private static float[] decode(LlamaModel model) {
    try (LlamaContext context = model.newContext(options());
        Batch batch = Batch.ofTokens(64)) {
      int[] tokens = model.vocab().tokenize("the hen on the thing is the hen in the hut", false);
      for (int i = 0; i < tokens.length; i++) {
        batch.add(tokens[i], i, 0, i == tokens.length - 1);
      }
      context.decode(batch, new CancellationFlag());
      float[] logits = new float[model.vocab().nTokens()];
      context.logits(tokens.length - 1, logits);
      return logits;
    }
  }
}
