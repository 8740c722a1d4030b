package dev.ocellus.tests.bench;

import com.sun.management.OperatingSystemMXBean;
import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.gguf.TensorType;
import dev.ocellus.llama.Batch;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.llama.ContextOptions.EmbeddingAttention;
import dev.ocellus.llama.LlamaContext;
import dev.ocellus.llama.LlamaModel;
import dev.ocellus.llama.ModelOptions;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.SplittableRandom;

/**
 * Two ways of computing the same, in turns in one process, so that a busy machine disturbs both
 * alike: milliseconds of processor time of each.
 */
public final class PairBench {
  private static final OperatingSystemMXBean SYSTEM =
      (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

  private final Path file;
  private final Options options;
  private final int nPrompt;
  private final int nTokens;
  private final CancellationFlag flag = new CancellationFlag();
  private final SplittableRandom random = new SplittableRandom(1);

  private PairBench(Options options) {
    this.options = options;
    this.file = options.path("-m");
    this.nPrompt = options.number("-n", 256);
    this.nTokens = options.number("-g", 32);
  }

  /**
   * {@code -m FILE --compare layout|masks -n TOKENS -g TOKENS -r N -t N}: weights in ggml's own
   * layouts and as they are stored, or masks as libllama makes them and changed. Prints {@code
   * prompt}, {@code tokens} and {@code image} of each, the two in turns for each round.
   */
  public static void main(String[] args) throws IOException {
    var options = new Options(args);
    new PairBench(options).run(options.text("--compare").equals("masks"));
  }

  private void run(boolean masks) throws IOException {
    ModelOptions cpu = ModelOptions.defaults().withGpuLayers(0);
    try (LlamaModel first = LlamaModel.load(file, cpu);
        LlamaModel second = LlamaModel.load(file, masks ? cpu : cpu.withRepack(false));
        LlamaContext a = context(first, EmbeddingAttention.BY_POSITION);
        LlamaContext b =
            context(
                second, masks ? EmbeddingAttention.EVERYWHERE : EmbeddingAttention.BY_POSITION)) {
      for (LlamaContext context : new LlamaContext[] {a, b}) { // unmeasured
        prompt(context);
        tokens(context);
      }
      for (int i = 0; i < options.number("-r", 7); i++) {
        print("prompt", millis(() -> prompt(a)), millis(() -> prompt(b)));
        print("tokens", millis(() -> tokens(a)), millis(() -> tokens(b)));
        print("image", millis(() -> image(a)), millis(() -> image(b)));
      }
    }
  }

  private LlamaContext context(LlamaModel model, EmbeddingAttention attention) {
    int n = options.number("-t", 2);
    return model.newContext(
        ContextOptions.defaults()
            .withContext(nPrompt + nTokens)
            .withBatch(nPrompt, nPrompt)
            .withCache(TensorType.F16, TensorType.F16)
            .withEmbeddingAttention(attention)
            .withThreads(n, n));
  }

  private static double millis(Runnable work) {
    long before = SYSTEM.getProcessCpuTime();
    work.run();
    return (SYSTEM.getProcessCpuTime() - before) / 1e6;
  }

  private static void print(String name, double first, double second) {
    System.out.println(
        String.format(Locale.ROOT, "%s %.1f %.1f ratio %.3f", name, first, second, second / first));
  }

  private void prompt(LlamaContext context) {
    context.clear();
    try (Batch batch = Batch.ofTokens(nPrompt)) {
      for (int i = 0; i < nPrompt; i++) {
        batch.add(token(context), i, 0, i == nPrompt - 1);
      }
      context.decode(batch, flag);
      context.synchronize();
    }
  }

  private void tokens(LlamaContext context) {
    context.clear();
    try (Batch batch = Batch.ofTokens(1)) {
      for (int i = 0; i < nTokens; i++) {
        batch.clear();
        batch.add(token(context), i, 0, true);
        context.decode(batch, flag);
        context.synchronize();
      }
    }
  }

  /** Embeddings that attend to each other. */
  private void image(LlamaContext context) {
    context.clear();
    int width = context.model().nEmbdInput();
    int nPositions = context.model().nPositions();
    float[] values = new float[nPrompt * width];
    for (int i = 0; i < values.length; i++) {
      values[i] = random.nextFloat() - 0.5f;
    }
    try (Batch batch = Batch.ofEmbeddings(nPrompt, width, nPositions)) {
      for (int i = 0; i < nPrompt; i++) {
        int[] axes = new int[nPositions];
        Arrays.fill(axes, i);
        batch.add(values, i, axes, 0, i == nPrompt - 1);
      }
      context.decode(batch, false, flag);
      context.synchronize();
    }
  }

  private int token(LlamaContext context) {
    return random.nextInt(context.model().vocab().nTokens());
  }
}
