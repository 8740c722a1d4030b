package dev.ocellus.tests.hardship;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.llama.Batch;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.llama.LlamaContext;
import dev.ocellus.llama.LlamaModel;
import dev.ocellus.llama.ModelOptions;
import dev.ocellus.tests.TinyTextModel;
import dev.ocellus.vlm.DemoModel;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.image.RgbImage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Calls everything that lets native code call Java where the stack ends soon: at every depth near
 * its end, and on threads whose stack is small from the start.
 *
 * <p>A call may fail with a {@link StackOverflowError}; the process must not end, and later calls
 * must give the right answer. Prints {@code survived} and how often each outcome was.
 */
public final class SmallStacks {
  private static final ContextOptions CONTEXT =
      ContextOptions.defaults().withContext(64).withThreads(1, 1);
  private static final int DEEP_STACK = 1 << 20;

  private final Map<String, Integer> outcomes = new ConcurrentHashMap<>();
  private final Map<String, Step> steps = new TreeMap<>();

  /** Something to try. */
  private interface Step {
    void run() throws Exception;
  }

  private SmallStacks() {}

  /** Runs; the argument is a folder for files. */
  public static void main(String[] args) throws Exception {
    new SmallStacks().run(Path.of(args[0]));
  }

  private void run(Path folder) throws Exception {
    Path file = folder.resolve("tiny.gguf");
    if (!Files.exists(file)) {
      TinyTextModel.of("llama", 1).write(file);
    }
    try (LlamaModel text = LlamaModel.load(file, ModelOptions.defaults());
        var chats = VisionLanguageModel.open(DemoModel.files())) {
      steps.put("tokenize", () -> text.vocab().tokenize("the hen on the thing", false));
      steps.put("context", () -> text.newContext(CONTEXT).close());
      steps.put("decode", () -> decode(text, 8));
      steps.put("overflow", () -> decode(text, 400)); // logs what libllama thinks of it
      steps.put("load", () -> LlamaModel.load(file, ModelOptions.defaults()).close());
      steps.put("chat", () -> chats.newChat().close());
      steps.put("image", () -> answer(chats));
      String expected = answer(chats);
      for (var step : steps.entrySet()) {
        attempt(step.getKey(), step.getValue()); // loads its classes
        atAllDepths(step.getKey(), step.getValue());
        onSmallThreads(step.getKey(), step.getValue());
      }
      if (!answer(chats).equals(expected)) {
        throw new IllegalStateException("another answer than before");
      }
    }
    new TreeMap<>(outcomes).forEach((what, n) -> System.out.println(what + ": " + n));
    System.out.println("survived");
  }

  private static void decode(LlamaModel model, int n) {
    try (LlamaContext context = model.newContext(CONTEXT);
        Batch batch = Batch.ofTokens(Math.min(n, CONTEXT.nCtx()))) {
      for (int position = 0; position < n; position += batch.size()) {
        batch.clear();
        while (batch.size() < batch.capacity()) {
          batch.add(5, position + batch.size(), 0, batch.size() == batch.capacity() - 1);
        }
        context.decode(batch, new CancellationFlag());
      }
      context.logits(batch.size() - 1, new float[model.vocab().nTokens()]);
    }
  }

  private static String answer(VisionLanguageModel model) {
    byte[] pixels = new byte[32 * 32 * 3];
    try (var chat = model.newChat()) {
      return chat.send(
              Message.user("What is this?", RgbImage.of(32, 32, pixels)),
              GenerationOptions.greedy().withMaxTokens(4),
              AnswerListener.NONE)
          .content();
    }
  }

  private void attempt(String name, Step step) {
    String outcome = "ok";
    try {
      step.run();
    } catch (Throwable e) {
      outcome = e.getClass().getSimpleName();
    }
    outcomes.merge(name + " " + outcome, 1, Integer::sum);
  }

  /** As deep as it goes, and on the way back up at ever larger distances from the end. */
  private void atAllDepths(String name, Step step) throws InterruptedException {
    onThread(DEEP_STACK, () -> descend(name, step));
  }

  @SuppressWarnings("InfiniteRecursion") // until the stack ends, which is the point
  private int descend(String name, Step step) {
    int left;
    try {
      left = 1 + descend(name, step);
    } catch (StackOverflowError e) {
      left = 0;
    }
    int root = (int) Math.sqrt(left);
    if (root * root == left && root % 5 == 1) {
      attempt(name + " near the end,", step);
    }
    return left;
  }

  private void onSmallThreads(String name, Step step) throws InterruptedException {
    for (int kibibytes : new int[] {64, 144, 176, 208, 256, 384}) {
      onThread(kibibytes << 10, () -> attempt(name + ", " + kibibytes + " KiB,", step));
    }
    Thread.ofVirtual().start(() -> attempt(name + ", virtual thread,", step)).join();
  }

  private static void onThread(long stackBytes, Runnable run) throws InterruptedException {
    Thread thread =
        new Thread(
            null,
            () -> {
              try {
                run.run();
              } catch (StackOverflowError e) {
                // the search for the depth was not exact
              }
            },
            "small",
            stackBytes);
    thread.start();
    thread.join();
  }
}
