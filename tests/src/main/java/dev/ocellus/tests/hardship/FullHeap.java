package dev.ocellus.tests.hardship;

import dev.ocellus.compute.Accelerator;
import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.compute.OutOfDeviceMemoryException;
import dev.ocellus.ggml.Accel;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.TensorType;
import dev.ocellus.llama.Batch;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.llama.LlamaContext;
import dev.ocellus.llama.LlamaModel;
import dev.ocellus.llama.ModelOptions;
import dev.ocellus.tests.synthetic.SyntheticModels;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Decodes while another thread takes all of the heap again and again, and afterwards. Prints {@code
 * survived} if what is decoded afterwards is what was decoded before.
 */
public final class FullHeap {
  private static final int ATTEMPTS = 60;

  private FullHeap() {}

  /** Runs; the argument is a folder for files. The heap should be small. */
  public static void main(String[] args) throws Exception {
    Path file = Path.of(args[0]).resolve("tiny.gguf");
    SyntheticModels.writeText("tiny", TensorType.F32, 1, file);
    try (LlamaModel model = LlamaModel.load(file, ModelOptions.defaults())) {
      float[] expected = args.length > 1 ? new float[0] : decode(model);
      AtomicBoolean done = new AtomicBoolean();
      Thread hog = new Thread(() -> takeAll(done));
      hog.start();
      int refused = 0;
      try {
        for (int i = 0; i < ATTEMPTS; i++) {
          refused += isRefused(model) ? 1 : 0;
        }
      } finally {
        done.set(true);
      }
      hog.join();
      System.out.println("refused: " + refused + " of " + ATTEMPTS);
      float[] after = decode(model);
      if (expected.length > 0 && !Arrays.equals(expected, after)) {
        throw new IllegalStateException("other logits than before");
      }
      try (GgufFile gguf = GgufFile.open(file)) {
        System.out.println("accelerator: " + Accel.find(Accelerator.AUTO, gguf).isPresent());
      }
      System.out.println("survived");
    }
  }

  /** While a context is made the heap's error comes through; later libllama tells of it. */
  private static boolean isRefused(LlamaModel model) {
    try {
      decode(model);
      return false;
    } catch (OutOfMemoryError | OutOfDeviceMemoryException e) {
      return true;
    }
  }

  private static void takeAll(AtomicBoolean done) {
    while (!done.get()) {
      List<byte[]> taken = new ArrayList<>();
      try {
        while (!done.get()) {
          taken.add(new byte[1 << 12]);
        }
      } catch (OutOfMemoryError e) {
        Thread.yield(); // what was taken is free again
      }
    }
  }

  private static float[] decode(LlamaModel model) {
    try (LlamaContext context =
            model.newContext(ContextOptions.defaults().withContext(64).withThreads(1, 1));
        Batch batch = Batch.ofTokens(8)) {
      int[] tokens = model.vocab().tokenize("the hen on the thing", false);
      int n = Math.min(8, tokens.length);
      for (int i = 0; i < n; i++) {
        batch.add(tokens[i], i, 0, i == n - 1);
      }
      context.decode(batch, new CancellationFlag());
      float[] logits = new float[model.vocab().nTokens()];
      context.logits(n - 1, logits);
      return logits;
    }
  }
}
