package dev.ocellus.tests.bench;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.llama.Batch;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.llama.LlamaContext;
import dev.ocellus.llama.LlamaModel;
import dev.ocellus.llama.ModelOptions;
import dev.ocellus.llama.StateCheckpoint;
import java.io.IOException;

/** What a checkpoint of a model with recurrent states costs. */
public final class CheckpointBench {
  private static final int SEQUENCE = 0;

  private CheckpointBench() {}

  /**
   * {@code -m FILE -n TOKENS -r N}; prints {@code megabytes}, {@code take MS…} of checkpoints whose
   * memory is used again, {@code restore MS…} and {@code token MS…} of decoding one, behind a text
   * of so many tokens.
   */
  public static void main(String[] args) throws IOException {
    var options = new Options(args);
    int n = options.number("-n", 256);
    int runs = options.number("-r", 9);
    ContextOptions wanted =
        ContextOptions.defaults()
            .withContext(n + 64)
            .withBatch(n, n)
            .withThreads(options.number("-t", 2), options.number("-t", 2));
    try (LlamaModel model = LlamaModel.load(options.path("-m"), ModelOptions.defaults());
        LlamaContext context = model.newContext(wanted);
        Batch text = Batch.ofTokens(n);
        Batch one = Batch.ofTokens(1)) {
      CancellationFlag flag = new CancellationFlag();
      for (int i = 0; i < n; i++) {
        text.add(i % 200, i, SEQUENCE, i == n - 1);
      }
      context.decode(text, flag);
      double[] take = new double[runs];
      double[] restore = new double[runs];
      double[] token = new double[runs];
      StateCheckpoint kept = StateCheckpoint.take(context, SEQUENCE, n, null);
      for (int i = 0; i < runs; i++) {
        long start = System.nanoTime();
        kept = StateCheckpoint.take(context, SEQUENCE, n, kept);
        long taken = System.nanoTime();
        one.clear();
        one.add(i, n, SEQUENCE, true);
        context.decode(one, flag);
        context.synchronize();
        long decoded = System.nanoTime();
        if (!kept.restore(SEQUENCE)) {
          throw new IllegalStateException("the checkpoint could not be restored");
        }
        restore[i] = (System.nanoTime() - decoded) / 1e6;
        token[i] = (decoded - taken) / 1e6;
        take[i] = (taken - start) / 1e6;
      }
      Options.print("megabytes", kept.bytes() / 1e6);
      kept.close();
      Options.print("take", take);
      Options.print("restore", restore);
      Options.print("token", token);
    }
  }
}
