package dev.ocellus.tests.bench;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.gguf.TensorType;
import dev.ocellus.llama.Batch;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.llama.LlamaContext;
import dev.ocellus.llama.LlamaModel;
import dev.ocellus.llama.ModelOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.SplittableRandom;

/**
 * Tokens per second of prefill and decode, measured as {@code llama-bench} measures them: a context
 * as large as the test, random tokens, an unmeasured prompt or token first, the cache emptied
 * between runs, and no sampling.
 */
public final class TextBench implements AutoCloseable {
  private static final int N_BATCH = 2048;
  private static final int N_UBATCH = 512;

  private final LlamaModel model;
  private final int nThreads;
  private final SplittableRandom random = new SplittableRandom(1);
  private final CancellationFlag flag = new CancellationFlag();

  /** Loads a model, on graphics processors if {@code nGpuLayers} is not 0. */
  public TextBench(Path path, int nThreads, int nGpuLayers) throws IOException {
    this.nThreads = nThreads;
    this.model = LlamaModel.load(path, ModelOptions.defaults().withGpuLayers(nGpuLayers));
  }

  /** Tokens per second of a prompt of {@code nTokens}, for each of {@code runs}. */
  public double[] prefill(int nTokens, int runs) {
    try (LlamaContext context = context(nTokens);
        Batch batch = Batch.ofTokens(Math.min(nTokens, N_BATCH))) {
      return measure(context, nTokens, nTokens, runs, n -> prompt(context, batch, n));
    }
  }

  /** Tokens per second of {@code nTokens} that come one after the other, for each of the runs. */
  public double[] decode(int nTokens, int runs) {
    try (LlamaContext context = context(nTokens);
        Batch batch = Batch.ofTokens(1)) {
      float[] logits = new float[model.vocab().nTokens()];
      return measure(context, 1, nTokens, runs, n -> generate(context, batch, logits, n));
    }
  }

  private LlamaContext context(int nTokens) {
    return model.newContext(
        ContextOptions.defaults()
            .withContext(nTokens)
            .withBatch(N_BATCH, N_UBATCH)
            .withCache(TensorType.F16, TensorType.F16)
            .withThreads(nThreads, nThreads));
  }

  private interface Test {
    void run(int nTokens);
  }

  private static double[] measure(
      LlamaContext context, int warmUp, int nTokens, int runs, Test test) {
    double[] speeds = new double[runs];
    test.run(warmUp);
    for (int i = 0; i < runs; i++) {
      context.clear();
      long start = System.nanoTime();
      test.run(nTokens);
      speeds[i] = nTokens / ((System.nanoTime() - start) / 1e9);
    }
    return speeds;
  }

  private void prompt(LlamaContext context, Batch batch, int nTokens) {
    for (int done = 0; done < nTokens; done += batch.size()) {
      batch.clear();
      int n = Math.min(batch.capacity(), nTokens - done);
      for (int i = 0; i < n; i++) {
        batch.add(token(), done + i, 0, i == n - 1);
      }
      context.decode(batch, flag);
    }
    context.synchronize();
  }

  private void generate(LlamaContext context, Batch batch, float[] logits, int nTokens) {
    for (int i = 0; i < nTokens; i++) {
      batch.clear();
      batch.add(token(), i, 0, true);
      context.decode(batch, flag);
      context.logits(0, logits); // llama-bench leaves them where they are; a sampler needs them
    }
  }

  private int token() {
    return random.nextInt(model.vocab().nTokens());
  }

  @Override
  public void close() {
    model.close();
  }

  /** {@code -m FILE -t N -p N -n N -r N [-ngl N]}; prints {@code pp512 101.2 100.9 …}. */
  public static void main(String[] args) throws IOException {
    var options = new Options(args);
    int runs = options.number("-r", 5);
    int prompt = options.number("-p", 512);
    int generated = options.number("-n", 128);
    try (var bench =
        new TextBench(options.path("-m"), options.number("-t", 2), options.number("-ngl", 0))) {
      if (prompt > 0) {
        Options.print("pp" + prompt, bench.prefill(prompt, runs));
      }
      if (generated > 0) {
        Options.print("tg" + generated, bench.decode(generated, runs));
      }
    }
  }
}
