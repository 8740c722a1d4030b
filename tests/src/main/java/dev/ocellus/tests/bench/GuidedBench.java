package dev.ocellus.tests.bench;

import com.sun.management.OperatingSystemMXBean;
import dev.ocellus.OcellusException;
import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.gguf.TensorType;
import dev.ocellus.llama.Batch;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.llama.ContextOptions.FlashAttention;
import dev.ocellus.llama.LlamaContext;
import dev.ocellus.llama.LlamaModel;
import dev.ocellus.llama.ModelOptions;
import dev.ocellus.vlm.generation.ComputeOptions;
import dev.ocellus.vlm.generation.DrawOptions;
import dev.ocellus.vlm.generation.TextToImage;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;

/**
 * Tokens a second of the guided pair of a text-to-image model, and of two plain sequences in one
 * batch, alternating: {@code GuidedBench TEXT.gguf GEN.gguf THREADS STEPS ROUNDS}.
 */
public final class GuidedBench {
  private static final String TEXT = "a red bicycle at night";

  private GuidedBench() {}

  /** Ends drawing after some steps. */
  private static final class Enough extends OcellusException {
    private static final long serialVersionUID = 1;

    Enough() {
      super("enough");
    }
  }

  /** Prints a line for each round, and the medians' quotient. */
  public static void main(String[] args) throws IOException {
    Path text = Path.of(args[0]);
    int threads = Integer.parseInt(args[2]);
    int steps = Integer.parseInt(args[3]);
    int rounds = Integer.parseInt(args[4]);
    double[] quotients = new double[rounds];
    double[] ofProcessor = new double[rounds];
    try (TextToImage janus = TextToImage.open(text, Path.of(args[1]), ComputeOptions.cpu(threads));
        LlamaModel model = LlamaModel.load(text, ModelOptions.defaults().withGpuLayers(0))) {
      int[] prompt = janus.tokenize(TEXT);
      guided(janus, 2);
      plain(model, prompt, threads, 2);
      for (int i = 0; i < rounds; i++) {
        double[] guided = guided(janus, steps);
        double[] plain = plain(model, prompt, threads, steps);
        quotients[i] = plain[0] / guided[0];
        ofProcessor[i] = plain[1] / guided[1];
        System.out.printf(
            Locale.ROOT,
            "guided %.2f tokens/s, plain %.2f, quotient %.3f, by processor time %.3f%n",
            2 * steps / guided[0],
            2 * steps / plain[0],
            quotients[i],
            ofProcessor[i]);
      }
    }
    Arrays.sort(quotients);
    Arrays.sort(ofProcessor);
    System.out.printf(
        Locale.ROOT,
        "median quotient %.3f, by processor time %.3f%n",
        quotients[rounds / 2],
        ofProcessor[rounds / 2]);
  }

  private static long processorNanos() {
    return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getProcessCpuTime();
  }

  /** Seconds of steps behind the first, by the clock and of the processor. */
  private static double[] guided(TextToImage janus, int steps) {
    long[] time = new long[4];
    try {
      janus.draw(
          TEXT,
          DrawOptions.seeded(1).withTemperature(0),
          (done, total) -> {
            if (done == 0) {
              time[0] = System.nanoTime();
              time[2] = processorNanos();
            }
            if (done == steps) {
              time[1] = System.nanoTime();
              time[3] = processorNanos();
              throw new Enough();
            }
          },
          new CancellationFlag());
    } catch (Enough e) {
      return new double[] {(time[1] - time[0]) / 1e9, (time[3] - time[2]) / 1e9};
    }
    throw new IllegalArgumentException("an image has fewer codes than " + steps);
  }

  private static double[] plain(LlamaModel model, int[] prompt, int threads, int steps) {
    int length = prompt.length + steps + 1;
    ContextOptions options =
        ContextOptions.defaults()
            .withContext(2 * length)
            .withBatch(Math.min(2 * length, 512), 512)
            .withSequences(2)
            .withOutputs(2)
            .withThreads(threads, threads)
            .withCache(TensorType.F32, TensorType.F32)
            .withFlashAttention(FlashAttention.OFF);
    CancellationFlag flag = new CancellationFlag();
    float[] logits = new float[model.vocab().nTokens()];
    try (LlamaContext context = model.newContext(options, false, null);
        Batch batch = Batch.ofTokens(2 * length)) {
      for (int s = 0; s < 2; s++) {
        for (int i = 0; i < prompt.length; i++) {
          batch.add(prompt[i], i, s, i + 1 == prompt.length);
        }
      }
      context.decode(batch, flag);
      long start = System.nanoTime();
      long before = processorNanos();
      for (int i = 0; i < steps; i++) {
        batch.clear();
        batch.add(prompt[1], prompt.length + i, 0, true);
        batch.add(prompt[2], prompt.length + i, 1, true);
        context.decode(batch, flag);
        context.logits(0, logits);
        context.logits(1, logits);
      }
      return new double[] {(System.nanoTime() - start) / 1e9, (processorNanos() - before) / 1e9};
    }
  }
}
