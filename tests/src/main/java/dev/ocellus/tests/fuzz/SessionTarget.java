package dev.ocellus.tests.fuzz;

import dev.ocellus.llama.ContextOptions;
import dev.ocellus.tests.TinyTextModel;
import dev.ocellus.vlm.ChatSession;
import dev.ocellus.vlm.DemoModel;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.Content;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.Role;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.Video;
import dev.ocellus.vlm.options.LoadOptions;
import dev.ocellus.vlm.options.SessionOptions;
import dev.ocellus.vlm.vision.UnsupportedContentException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SplittableRandom;

/** Restores saved sessions that somebody has changed, and goes on with them. */
final class SessionTarget implements Target {
  static final String NAME = "session";
  private static final String SUFFIX = ".session";

  /** Each with keys and values of another form: plain, with axes, with windows, with states. */
  private static final List<String> ARCHITECTURES =
      List.of("llama", "qwen2vl", "gemma2", "qwen35", "lfm2");

  private static final int N_CTX = 512;
  private static final GenerationOptions OPTIONS =
      GenerationOptions.greedy().withMaxTokens(3).withIgnoreEos(true);

  /** By the hash that a session tells its model by: with a context for one, and a shared one. */
  private static final Map<String, List<VisionLanguageModel>> MODELS = new HashMap<>();

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public boolean isGguf() {
    return false;
  }

  @Override
  public boolean takes(Path file) {
    return file.toString().endsWith(SUFFIX);
  }

  @Override
  public boolean damage(Path base, Path to, SplittableRandom random) throws IOException {
    Files.write(to, SessionMutator.mutate(Files.readAllBytes(base), random));
    return true;
  }

  /**
   * Writes sessions to begin with: of tiny text models, of the embedded model, and of every folder
   * with a {@code text.gguf} and a {@code mmproj.gguf}.
   */
  static List<Path> write(List<Path> folders, Path work) throws IOException {
    List<Path> files = new ArrayList<>();
    for (String architecture : ARCHITECTURES) {
      Path text = work.resolve("session-" + architecture + ".gguf");
      files.add(save(LoadOptions.of(TinyTextModel.write(text, architecture)), work, architecture));
    }
    files.add(save(DemoModel.files(), work, "demo"));
    for (Path folder : folders) {
      try (var found = Files.walk(folder)) {
        for (Path text : found.filter(f -> f.endsWith("text.gguf")).sorted().toList()) {
          Path mmproj = text.resolveSibling("mmproj.gguf");
          if (Files.exists(mmproj)) {
            files.add(save(LoadOptions.of(text, mmproj), work, "folder-" + files.size()));
          }
        }
      }
    }
    return files;
  }

  private static Path save(LoadOptions files, Path work, String name) throws IOException {
    LoadOptions options =
        files.withContextOptions(
            ContextOptions.defaults().withContext(N_CTX).withBatch(256, 256).withThreads(1, 1));
    VisionLanguageModel model = VisionLanguageModel.open(options);
    Path file = work.resolve(name + SUFFIX);
    try (ChatSession chat = model.newChat()) {
      chat.send(question(model), OPTIONS, AnswerListener.NONE);
      chat.save(file);
    }
    VisionLanguageModel shared =
        VisionLanguageModel.open(options.withSessions(SessionOptions.defaults().withParallel(2)));
    MODELS.put(SessionParts.modelHash(Files.readAllBytes(file)), List.of(model, shared));
    return file;
  }

  private static Message question(VisionLanguageModel model) {
    List<Content> parts = new ArrayList<>();
    if (model.encoder().isPresent()) {
      parts.add(new Content.Image(noise(1), "a.png"));
      Content.Video video =
          new Content.Video(
              Video.at(List.of(noise(2), noise(3)), new double[] {0.5, 3}, 4), "clip");
      try {
        model.pipeline().prompts().requireSupported(video);
        parts.add(video);
      } catch (UnsupportedContentException e) {
        parts.add(new Content.Image(noise(4), ""));
      }
    }
    parts.add(new Content.Text("What is the number of the hen on the other side?"));
    return new Message(Role.USER, parts);
  }

  private static RgbImage noise(int seed) {
    byte[] pixels = new byte[56 * 56 * 3];
    new Random(seed).nextBytes(pixels);
    return RgbImage.of(56, 56, pixels);
  }

  @Override
  public void run(byte[] data, Path file, long seed) throws IOException {
    List<VisionLanguageModel> own = MODELS.get(SessionParts.modelHash(data));
    List<VisionLanguageModel> models = own == null ? MODELS.values().iterator().next() : own;
    try (ChatSession chat = models.get((int) (seed & 1)).newChat()) {
      chat.restore(file);
      chat.send(Message.user("And now?"), OPTIONS, AnswerListener.NONE);
      chat.undo();
      chat.regenerate(OPTIONS, AnswerListener.NONE); // a part of what was restored
    } catch (IllegalArgumentException e) {
      if (e.getMessage() == null || !e.getMessage().contains("no question")) {
        throw e;
      }
      throw new RefusedOptionException(e); // without a question in it, as it should
    }
  }
}
