package dev.ocellus.tests.fuzz;

import dev.ocellus.OcellusException;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.tests.TinyTextModel;
import dev.ocellus.vlm.ChatSession;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.options.LoadOptions;
import dev.ocellus.vlm.options.OverflowPolicy;
import dev.ocellus.vlm.options.SessionOptions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CyclicBarrier;

/**
 * Several threads call everything of a model and of sessions that they share, listeners included,
 * in orders by chance. Each call answers or is refused; afterwards the model is closed or answers
 * as it did before.
 */
final class InterleaveTarget extends GeneratedTarget {
  private static final GenerationOptions OPTIONS =
      GenerationOptions.greedy().withMaxTokens(4).withIgnoreEos(true);
  private static final int CALLS = 12;

  @Override
  public String name() {
    return "interleave";
  }

  @Override
  void run(SplittableRandom random, Path folder) throws Exception {
    String architecture = EdgeValues.one(List.of("llama", "gemma2", "qwen2vl"), random);
    Path file = TinyTextModel.write(folder.resolve("tiny.gguf"), architecture);
    LoadOptions options =
        LoadOptions.of(file)
            .withContextOptions(ContextOptions.defaults().withContext(256).withThreads(1, 1))
            .withSessions(
                SessionOptions.defaults()
                    .withParallel(random.nextInt(1, 4))
                    .withOverflow(EdgeValues.one(List.of(OverflowPolicy.values()), random)));
    List<Throwable> wrong = new CopyOnWriteArrayList<>();
    boolean closes = random.nextInt(3) == 0;
    try (VisionLanguageModel model = VisionLanguageModel.open(options)) {
      String expected = answer(model);
      var shared = new Shared(model, folder, closes, wrong);
      for (int i = random.nextInt(1, 4); i > 0; i--) {
        shared.chats.add(model.newChat());
      }
      int n = random.nextInt(2, 5);
      var start = new CyclicBarrier(n);
      List<Thread> threads = new ArrayList<>();
      for (int i = 0; i < n; i++) {
        var own = random.split();
        threads.add(Thread.ofPlatform().start(() -> shared.run(own, start)));
      }
      for (Thread thread : threads) {
        thread.join();
      }
      shared.chats.forEach(ChatSession::close);
      if (!closes) {
        require(answer(model).equals(expected), "another answer than before");
      }
    }
    if (!wrong.isEmpty()) {
      throw new IllegalStateException(wrong.size() + " calls ended otherwise", wrong.getFirst());
    }
  }

  private static String answer(VisionLanguageModel model) {
    try (ChatSession chat = model.newChat()) {
      return chat.send(Message.user("the hen on"), OPTIONS, AnswerListener.NONE).content();
    }
  }

  /** What the threads call. */
  private record Shared(
      VisionLanguageModel model,
      List<ChatSession> chats,
      Path folder,
      boolean closes,
      List<Throwable> wrong) {
    Shared(VisionLanguageModel model, Path folder, boolean closes, List<Throwable> wrong) {
      this(model, new CopyOnWriteArrayList<>(), folder, closes, wrong);
    }

    void run(SplittableRandom random, CyclicBarrier start) {
      try {
        start.await();
        for (int i = 0; i < CALLS; i++) {
          attempt(random);
        }
      } catch (Throwable e) {
        wrong.add(e);
      }
    }

    private void attempt(SplittableRandom random) {
      try {
        call(EdgeValues.one(chats, random), random, 0);
      } catch (OcellusException
          | IOException
          | UncheckedIOException // of a listener here
          | IllegalStateException e) {
        if (e.getMessage() == null) {
          wrong.add(e);
        }
      } catch (IllegalArgumentException e) {
        if (!String.valueOf(e.getMessage()).contains("no question")) {
          wrong.add(e);
        }
      } catch (IndexOutOfBoundsException e) {
        if (!String.valueOf(e.getMessage()).startsWith("Index ")) {
          wrong.add(e); // of edit, where another thread has shortened the history
        }
      }
    }

    private void call(ChatSession chat, SplittableRandom random, int depth) throws IOException {
      if (random.nextInt(3) == 0) {
        Thread.yield();
      }
      Path file = folder.resolve("s" + random.nextInt(2));
      switch (random.nextInt(18)) {
        case 0, 1, 2, 3 -> chat.send(question(random), OPTIONS, listener(random, depth));
        case 4 -> chat.regenerate(OPTIONS, listener(random, depth));
        case 5, 6 -> chat.cancel();
        case 7 -> close(chat, random, depth);
        case 8 -> chat.undo();
        case 9 -> chat.edit(random.nextInt(2), question(random));
        case 10 -> chat.save(file);
        case 11 -> chat.restore(file);
        case 12 -> chat.clear();
        case 13 -> {
          chat.history();
          chat.contextUsed();
        }
        case 14 -> chat.add(question(random));
        case 15 -> chat.complete(List.of(question(random)), OPTIONS, listener(random, depth));
        case 16 -> model.render(chat.history());
        default -> {
          if (depth == 0 && chats.size() < 6) {
            chats.add(model.newChat());
          }
        }
      }
    }

    private void close(ChatSession chat, SplittableRandom random, int depth) {
      if (closes && depth == 0 && random.nextInt(4) == 0) {
        model.close();
      } else {
        chat.close();
      }
    }

    private static Message question(SplittableRandom random) {
      return Message.user("the hen " + "on ".repeat(random.nextInt(30)));
    }

    /** One that calls sessions itself, its own among them, or fails. */
    private AnswerListener listener(SplittableRandom random, int depth) {
      if (depth > 1 || random.nextBoolean()) {
        return AnswerListener.NONE;
      }
      SplittableRandom own = random.split();
      return text -> {
        if (own.nextInt(12) == 0) {
          throw new IllegalStateException("the listener failed");
        }
        if (own.nextInt(3) == 0) {
          try {
            call(EdgeValues.one(chats, own), own, depth + 1);
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        }
      };
    }
  }
}
