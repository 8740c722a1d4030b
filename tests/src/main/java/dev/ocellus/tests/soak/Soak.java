package dev.ocellus.tests.soak;

import dev.ocellus.llama.ContextOptions;
import dev.ocellus.vlm.ChatSession;
import dev.ocellus.vlm.DemoModel;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.options.ImageCacheOptions;
import dev.ocellus.vlm.options.LoadOptions;
import dev.ocellus.vlm.options.SessionOptions;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.logging.Level;
import java.util.logging.Logger;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Answers questions about images for as long as one likes in one process and prints what it uses:
 * new images and new sessions all the time, follow-up questions, answers again, edits, cancelled
 * answers, sessions saved and restored, and now and then another model.
 */
@Command(
    name = "soak",
    mixinStandardHelpOptions = true,
    description = "Holds image chats in one process and prints the memory that it uses.")
public final class Soak implements Callable<Integer> {
  /** Held here, as a logger that nobody holds is forgotten together with its level. */
  private static final Logger LOGGER = Logger.getLogger("dev.ocellus");

  private static final double MIB = 1 << 20;

  @Option(names = "--chats", defaultValue = "1000", description = "Chats (${DEFAULT-VALUE}).")
  private int chats;

  @Option(
      names = "--every",
      defaultValue = "500",
      description = "Chats between two lines (${DEFAULT-VALUE}).")
  private int every;

  @Option(
      names = "--parallel",
      defaultValue = "1",
      description = "Sequences of a shared context; 1 for a context each (${DEFAULT-VALUE}).")
  private int parallel;

  @Option(
      names = "--image-cache-mib",
      defaultValue = "-1",
      description = "Most memory for encoded images; the library's default if left out.")
  private long imageCacheMib;

  @Option(
      names = "--reload-every",
      defaultValue = "1000",
      description = "Chats after which the model is opened anew (${DEFAULT-VALUE}).")
  private int reloadEvery;

  @Option(
      names = "--trim",
      description = "Before each line, gives back what malloc keeps of freed memory (glibc).")
  private boolean trim;

  @Option(names = "--seed", defaultValue = "1", description = "Another one, other images.")
  private long seed;

  @Option(names = "--seconds", defaultValue = "86400", description = "Ends after this time.")
  private long seconds;

  @Option(
      names = "--limit-mib",
      defaultValue = "0",
      description = "Fails if memory grew by more after the first fifth of the chats.")
  private long limitMib;

  private final PrintStream out;

  Soak(PrintStream out) {
    this.out = out;
  }

  /** Entry point. */
  public static void main(String[] args) {
    System.exit(new CommandLine(new Soak(System.out)).execute(args));
  }

  @Override
  public Integer call() throws IOException {
    LOGGER.setLevel(Level.OFF);
    var random = new SplittableRandom(seed);
    var images = new SoakImages(random);
    Path file = Files.createTempFile("ocellus-soak", ".session");
    long began = System.nanoTime();
    out.println(
        "| chats | seconds | resident MiB | heap in use | heap committed | threads | files |");
    out.println("|---|---|---|---|---|---|---|");
    ResourceUsage early = report(0, began);
    VisionLanguageModel model = open();
    try {
      for (int i = 1; i <= chats; i++) {
        chat(model, images, random, file);
        if (i % reloadEvery == 0) {
          model.close();
          model = open();
        }
        if (i % every == 0 || i == chats) {
          ResourceUsage now = report(i, began);
          if (i <= Math.max(every, chats / 5)) {
            early = now;
          } else if (limitMib > 0 && now.resident() - early.resident() > limitMib << 20) {
            out.printf("memory has grown by more than %d MiB%n", limitMib);
            return 1;
          }
        }
        if (System.nanoTime() - began > seconds * 1_000_000_000L) {
          report(i, began);
          break;
        }
      }
    } finally {
      model.close();
      Files.deleteIfExists(file);
    }
    return 0;
  }

  private VisionLanguageModel open() throws IOException {
    ImageCacheOptions cache = ImageCacheOptions.defaults();
    if (imageCacheMib >= 0) {
      cache = cache.withMemoryBytes(imageCacheMib << 20);
    }
    LoadOptions options =
        DemoModel.files()
            .withContextOptions(ContextOptions.defaults().withContext(512).withThreads(1, 1))
            .withSessions(SessionOptions.defaults().withImageCache(cache).withParallel(parallel));
    return VisionLanguageModel.open(options);
  }

  private ResourceUsage report(int done, long began) throws IOException {
    if (trim) {
      ResourceUsage.trim();
    }
    ResourceUsage usage = ResourceUsage.now();
    out.printf(
        "| %d | %d | %.0f | %.0f | %.0f | %d | %d |%n",
        done,
        (System.nanoTime() - began) / 1_000_000_000,
        usage.resident() / MIB,
        usage.heap() / MIB,
        usage.committedHeap() / MIB,
        usage.threads(),
        usage.files());
    out.flush();
    return usage;
  }

  private static void chat(
      VisionLanguageModel model, SoakImages images, SplittableRandom random, Path file)
      throws IOException {
    RgbImage image = images.next();
    GenerationOptions options =
        GenerationOptions.greedy().withMaxTokens(random.nextInt(1, 5)).withIgnoreEos(true);
    try (ChatSession chat = model.newChat()) {
      chat.send(Message.user("What is this?", image), options, AnswerListener.NONE);
      switch (random.nextInt(16)) {
        case 0, 1, 2, 3, 4, 5 ->
            chat.send(Message.user("Which colour has it?"), options, AnswerListener.NONE);
        case 6 -> chat.regenerate(options, AnswerListener.NONE);
        case 7 -> {
          chat.edit(0, Message.user("What is it?", image));
          chat.regenerate(options, AnswerListener.NONE);
        }
        case 8 -> chat.send(Message.user("And?"), options, piece -> chat.cancel());
        case 9 -> {
          chat.save(file);
          chat.restore(file);
          chat.send(Message.user("And now?"), options, AnswerListener.NONE);
        }
        case 10 ->
            chat.send(Message.user("And this?", images.next()), options, AnswerListener.NONE);
        default -> {} // closed after one question
      }
    }
  }
}
