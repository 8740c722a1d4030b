package dev.ocellus.spark;

import dev.ocellus.llama.ContextOptions;
import dev.ocellus.llama.ModelOptions;
import dev.ocellus.vlm.ChatSession;
import dev.ocellus.vlm.DemoModel;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.options.LoadOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;

/**
 * A model that chats, with as many sessions as it works on images at a time. A row takes a session
 * for the time of its answer only, so that the next rows can be read and decoded before.
 */
final class ChatModel extends LoadedModel {
  private final VisionLanguageModel model;
  private final boolean separate;
  private final BlockingQueue<ChatSession> sessions;

  private ChatModel(String hash, Compute compute, VisionLanguageModel model, boolean separate) {
    super(hash, compute);
    this.model = model;
    this.separate = separate;
    this.sessions = new ArrayBlockingQueue<>(compute.parallel());
    for (int i = 0; i < compute.parallel(); i++) {
      sessions.add(model.newChat());
    }
  }

  static ChatModel open(
      ModelSource source, LocatedModel files, ExecutorOptions options, Compute compute)
      throws IOException {
    Path mmproj = files.mmproj();
    if (mmproj == null) {
      throw new ModelException(
          "%s: expected a text model and its image encoder (mmproj), found one file"
              .formatted(source),
          null);
    }
    VisionLanguageModel model =
        VisionLanguageModel.open(load(source, files, mmproj, options, compute));
    try {
      return new ChatModel(files.hash(), compute, model, options.separate());
    } catch (Throwable e) {
      model.close();
      throw e;
    }
  }

  private static LoadOptions load(
      ModelSource source, LocatedModel files, Path mmproj, ExecutorOptions options, Compute compute)
      throws IOException {
    boolean isDemo = source.kind() == ModelSource.Kind.DEMO;
    int threads =
        options.separate()
            ? Math.max(1, compute.threads() / compute.parallel())
            : compute.threads();
    // the embedded model is too small to be shared out among threads
    LoadOptions load =
        isDemo
            ? DemoModel.files()
            : LoadOptions.of(files.model(), mmproj)
                .withContextOptions(ContextOptions.defaults().withThreads(threads, threads));
    ContextOptions context = load.contextOptions();
    if (options.context() > 0) {
      context = context.withContext(options.context());
    }
    return load.withModelOptions(gpu(compute))
        .withContextOptions(context)
        .withSessions(load.sessions().withParallel(options.separate() ? 1 : compute.parallel()));
  }

  private static ModelOptions gpu(Compute compute) {
    ModelOptions defaults = ModelOptions.defaults();
    return compute.gpu() == Compute.NO_GPU ? defaults.withGpuLayers(0) : defaults;
  }

  VisionLanguageModel model() {
    return model;
  }

  /** What a row does with a session. */
  interface Turn<T> {
    T with(ChatSession session) throws Exception;
  }

  <T> T turn(Turn<T> turn) throws Exception {
    ChatSession session = sessions.take();
    try {
      return turn.with(session);
    } finally {
      if (separate) {
        session.close(); // with its context: what is left there would be computed in other batches
        sessions.add(model.newChat());
      } else {
        session.clear(); // the messages with their images; what conversations share stays
        sessions.add(session);
      }
    }
  }

  @Override
  RowWorker newWorker(Request request) throws IOException {
    if (request instanceof AnswerRequest answer) {
      return new AnswerWorker(this, answer);
    }
    if (request instanceof PageRequest pages) {
      return new PageWorker(this, pages.options());
    }
    throw new IllegalStateException("no request of a model that chats: " + request);
  }

  @Override
  void closeModel() {
    model.close();
  }
}
