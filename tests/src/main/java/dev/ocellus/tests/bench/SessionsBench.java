package dev.ocellus.tests.bench;

import dev.ocellus.llama.ContextOptions;
import dev.ocellus.vlm.ChatSession;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.DraftUse;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.options.LoadOptions;
import dev.ocellus.vlm.options.SessionOptions;
import dev.ocellus.vlm.options.Speculation;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * What batching and speculative decoding gain: the same answers, computed in two ways in turns,
 * since the speed of a shared machine changes from minute to minute. Prints the median of the
 * ratios.
 *
 * <pre>
 * bench.SessionsBench -m text.gguf [-t 2] [-n 32] [--rounds 5]
 *     [--parallel 4 | --lookup on | -md draft.gguf] [-p TEXT]
 * </pre>
 */
public final class SessionsBench {
  private static final int CONTEXT = 1024;

  private final Path model;
  private final ContextOptions context;
  private final GenerationOptions generation;
  private final String prompt;
  private final int rounds;

  private SessionsBench(Options options) {
    this.model = options.path("-m");
    int threads = options.number("-t", 2);
    this.context = ContextOptions.defaults().withContext(CONTEXT).withThreads(threads, threads);
    this.generation =
        GenerationOptions.greedy().withMaxTokens(options.number("-n", 32)).withIgnoreEos(true);
    this.prompt = options.text("-p", "Tell me about the image, and say it in a few words.");
    this.rounds = options.number("--rounds", 5);
  }

  /** See the class. */
  public static void main(String[] args) throws IOException {
    Options options = new Options(args);
    SessionsBench bench = new SessionsBench(options);
    int parallel = options.number("--parallel", 0);
    String draft = options.text("-md", "");
    if (parallel > 0) {
      bench.parallel(parallel);
    } else if (!draft.isEmpty()) {
      bench.speculation(
          Speculation.byModel(Path.of(draft)).withDraftMax(options.number("--draft-max", 8)));
    } else {
      bench.speculation(Speculation.byLookup().withDraftMax(options.number("--draft-max", 8)));
    }
  }

  private VisionLanguageModel open(SessionOptions sessions) throws IOException {
    return VisionLanguageModel.open(
        LoadOptions.of(model).withContextOptions(context).withSessions(sessions));
  }

  private Answer ask(ChatSession chat, int i) {
    chat.clear();
    return chat.send(Message.user(prompt + " " + i), generation, AnswerListener.NONE);
  }

  /** Several sessions at once in one context, against the same one after the other. */
  private void parallel(int n) throws IOException {
    try (VisionLanguageModel alone = open(SessionOptions.defaults());
        VisionLanguageModel together = open(SessionOptions.defaults().withParallel(n));
        ExecutorService threads = Executors.newFixedThreadPool(n);
        ChatSession one = alone.newChat()) {
      List<ChatSession> chats = new ArrayList<>();
      for (int i = 0; i < n; i++) {
        chats.add(together.newChat());
      }
      double[] ratios = new double[rounds];
      double[] speeds = new double[rounds];
      for (int round = -1; round < rounds; round++) { // the first one warms up
        long start = System.nanoTime();
        List<Answer> first = new ArrayList<>();
        for (int i = 0; i < n; i++) {
          first.add(ask(one, i));
        }
        long middle = System.nanoTime();
        List<CompletableFuture<Answer>> running = new ArrayList<>();
        for (int i = 0; i < n; i++) {
          int index = i;
          running.add(CompletableFuture.supplyAsync(() -> ask(chats.get(index), index), threads));
        }
        List<Answer> second = running.stream().map(CompletableFuture::join).toList();
        long end = System.nanoTime();
        report("round " + round, first, second);
        if (round >= 0) {
          ratios[round] = (double) (middle - start) / (end - middle);
          speeds[round] = n * generation.maxTokens() * 1e9 / (end - middle);
        }
      }
      print("parallel " + n, ratios, speeds);
      chats.forEach(ChatSession::close);
    }
  }

  /** With draft tokens, against without. */
  private void speculation(Speculation speculation) throws IOException {
    try (VisionLanguageModel plain = open(SessionOptions.defaults());
        VisionLanguageModel speculating =
            open(SessionOptions.defaults().withSpeculation(speculation));
        ChatSession one = plain.newChat();
        ChatSession other = speculating.newChat()) {
      double[] ratios = new double[rounds];
      double[] speeds = new double[rounds];
      for (int round = -1; round < rounds; round++) {
        Answer without = ask(one, round);
        Answer with = ask(other, round);
        report("round " + round, List.of(without), List.of(with));
        DraftUse drafts = with.usage().drafts();
        System.out.printf("  drafted %d, accepted %d%n", drafts.drafted(), drafts.accepted());
        if (round >= 0) {
          ratios[round] = without.timings().decode().millis() / with.timings().decode().millis();
          speeds[round] = with.timings().decode().tokensPerSecond();
        }
      }
      print("speculation", ratios, speeds);
    }
  }

  private static void report(String name, List<Answer> first, List<Answer> second) {
    int same = 0;
    for (int i = 0; i < first.size(); i++) {
      same += Arrays.equals(first.get(i).tokens(), second.get(i).tokens()) ? 1 : 0;
    }
    System.out.printf("%s: %d of %d answers have the same tokens%n", name, same, first.size());
  }

  /** Median, least and most of the ratios, and the median speed. */
  private static void print(String name, double[] ratios, double[] speeds) {
    Arrays.sort(ratios);
    Arrays.sort(speeds);
    Options.print(
        name + ": times faster (median, least, most), tokens/s",
        ratios[ratios.length / 2],
        ratios[0],
        ratios[ratios.length - 1],
        speeds[speeds.length / 2]);
  }
}
