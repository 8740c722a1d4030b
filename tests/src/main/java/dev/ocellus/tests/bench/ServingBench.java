package dev.ocellus.tests.bench;

import dev.ocellus.llama.ContextOptions;
import dev.ocellus.tests.Folders;
import dev.ocellus.vlm.ChatSession;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.Content;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.Role;
import dev.ocellus.vlm.image.codec.ImageDecoder;
import dev.ocellus.vlm.options.LoadOptions;
import dev.ocellus.vlm.options.SessionOptions;
import java.awt.image.BufferedImage;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import javax.imageio.ImageIO;
import org.jspecify.annotations.Nullable;

/**
 * Several conversations that begin at once: tokens per second of all together, and the mean time to
 * the first token, of Ocellus or of a {@code llama-server} that is started for it.
 *
 * <pre>
 * bench.ServingBench -m text.gguf [--mmproj FILE --image FILE] [-t 2] [-n 32] [--parallel 8]
 *     [--server llama-server]
 * </pre>
 *
 * <p>With an image, every second conversation shows it, with a pixel of its own so that nobody has
 * encoded it before. One round warms up. Prints {@code speed} and {@code first}, in milliseconds.
 */
public final class ServingBench {
  private static final int CONTEXT_EACH = 1024;

  private final Options options;
  private final int parallel;
  private final int nTokens;

  private ServingBench(Options options) {
    this.options = options;
    this.parallel = options.number("--parallel", 8);
    this.nTokens = options.number("-n", 32);
  }

  /** Asks one question; returns the milliseconds to the first token of the answer. */
  interface Asker {
    double ask(int conversation, String text, @Nullable Path image) throws Exception;
  }

  /** See the class. */
  public static void main(String[] args) throws Exception {
    var options = new Options(args);
    var bench = new ServingBench(options);
    String server = options.text("--server", "");
    if (server.isEmpty()) {
      bench.own();
    } else {
      bench.peer(server);
    }
  }

  private @Nullable Path mmproj() {
    String file = options.text("--mmproj", "");
    return file.isEmpty() ? null : Path.of(file);
  }

  private void own() throws Exception {
    int threads = options.number("-t", 2);
    Path mmproj = mmproj();
    LoadOptions load =
        mmproj == null
            ? LoadOptions.of(options.path("-m"))
            : LoadOptions.of(options.path("-m"), mmproj);
    GenerationOptions generation =
        GenerationOptions.greedy().withMaxTokens(nTokens).withIgnoreEos(true);
    try (VisionLanguageModel model =
        VisionLanguageModel.open(
            load.withContextOptions(
                    ContextOptions.defaults()
                        .withContext(CONTEXT_EACH)
                        .withThreads(threads, threads))
                .withSessions(SessionOptions.defaults().withParallel(parallel)))) {
      List<ChatSession> chats = new ArrayList<>();
      for (int i = 0; i < parallel; i++) {
        chats.add(model.newChat());
      }
      measure((i, text, image) -> ask(chats.get(i), text, image, generation));
      chats.forEach(ChatSession::close);
    }
  }

  private static double ask(
      ChatSession chat, String text, @Nullable Path image, GenerationOptions generation)
      throws IOException {
    long start = System.nanoTime();
    long[] first = {0};
    List<Content> parts = new ArrayList<>();
    if (image != null) {
      parts.add(new Content.Image(ImageDecoder.decode(image), image.toString()));
    }
    parts.add(new Content.Text(text));
    AnswerListener listener =
        piece -> {
          if (first[0] == 0) {
            first[0] = System.nanoTime();
          }
        };
    chat.clear();
    chat.send(new Message(Role.USER, parts), generation, listener);
    return ((first[0] == 0 ? System.nanoTime() : first[0]) - start) / 1e6;
  }

  private void peer(String server) throws Exception {
    List<String> command =
        new ArrayList<>(
            List.of(
                server,
                "-m",
                options.text("-m"),
                "-t",
                options.text("-t", "2"),
                "--parallel",
                Integer.toString(parallel),
                "-c",
                Integer.toString(parallel * CONTEXT_EACH)));
    Path mmproj = mmproj();
    if (mmproj != null) {
      command.addAll(List.of("--mmproj", mmproj.toString()));
    }
    try (var running = new LlamaServer(command, nTokens)) {
      measure((i, text, image) -> running.ask(text, image));
    }
  }

  private void measure(Asker asker) throws Exception {
    double first = 0;
    double seconds = 0;
    Path folder = Files.createTempDirectory("serving");
    try (ExecutorService threads = Executors.newFixedThreadPool(parallel)) {
      for (int round = 0; round < 2; round++) { // the first one warms up
        List<Callable<Double>> questions = new ArrayList<>();
        for (int i = 0; i < parallel; i++) {
          int conversation = i;
          String text =
              "Conversation %d of round %d: tell me about this place, and say what one should see there and when."
                  .formatted(i, round);
          Path shown = i % 2 == 1 ? null : image(folder, round * parallel + i);
          questions.add(() -> asker.ask(conversation, text, shown));
        }
        first = 0;
        long start = System.nanoTime();
        for (Future<Double> answer : threads.invokeAll(questions)) {
          first += result(answer) / parallel;
        }
        seconds = (System.nanoTime() - start) / 1e9;
      }
    } finally {
      Folders.delete(folder);
    }
    Options.print("speed", parallel * nTokens / seconds);
    Options.print("first", first);
  }

  /** The image with another corner for each number; nothing without {@code --image}. */
  private @Nullable Path image(Path folder, int number) throws IOException {
    String file = options.text("--image", "");
    if (file.isEmpty()) {
      return null;
    }
    BufferedImage pixels = ImageIO.read(new File(file));
    pixels.setRGB(0, 0, number);
    Path own = folder.resolve(number + ".png");
    ImageIO.write(pixels, "png", own.toFile());
    return own;
  }

  private static double result(Future<Double> answer) throws Exception {
    try {
      return answer.get();
    } catch (ExecutionException e) {
      throw new IOException("a conversation failed", e.getCause());
    }
  }
}
