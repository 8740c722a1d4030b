package dev.ocellus.server.model;

import dev.ocellus.server.api.ApiException;
import dev.ocellus.server.api.ApiException.Kind;
import dev.ocellus.server.options.HostingOptions;
import dev.ocellus.server.options.ModelSource;
import dev.ocellus.vlm.chat.ContextUse;
import dev.ocellus.vlm.embedding.DualEncoder;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;

/**
 * The models of a server. One is loaded when somebody asks for it, once, however many ask at the
 * same time. Where memory is limited, those that nobody uses go for it, the one used longest ago
 * first; while all are in use, whoever wants another waits.
 */
public final class ModelHost implements AutoCloseable {
  private static final System.Logger LOGGER = System.getLogger(ModelHost.class.getName());

  /** For a model that is not unloaded for being idle. */
  public static final Duration FOR_EVER = Duration.ofDays(36_500);

  /** How long somebody waits for memory that others use. */
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final List<HostedModel> models;
  private final HostingOptions options;
  private final ModelLoader loader;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private boolean draining; // guarded by lock

  public ModelHost(List<ModelSource> sources, HostingOptions options) {
    this(sources, options, ModelLoader.FILES);
  }

  /** With another way of loading, for tests. */
  ModelHost(List<ModelSource> sources, HostingOptions options, ModelLoader loader) {
    this.loader = loader;
    this.models = sources.stream().map(HostedModel::new).toList();
    this.options = options;
  }

  /** All models, in the order in which they were given. */
  public List<HostedModel> models() {
    return models;
  }

  /** Where a model stands. */
  public HostedModel.State state(HostedModel model) {
    lock.lock();
    try {
      return model.state;
    } finally {
      lock.unlock();
    }
  }

  /** How many answers a loaded model generates now; 0 for others. */
  public int running(HostedModel model) {
    lock.lock();
    try {
      ChatEngine engine = model.chatEngine();
      return engine == null ? 0 : engine.running();
    } finally {
      lock.unlock();
    }
  }

  /** What stands in the sequences of a loaded model; nothing for others. */
  public ContextUse contextUse(HostedModel model) {
    lock.lock();
    try {
      ChatEngine engine = model.chatEngine();
      return engine == null ? ContextUse.NONE : engine.model().contextUse();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Answers of all models.
   *
   * @param queued that wait
   * @param running that are being generated
   */
  public record Work(int queued, int running) {}

  /** What is being done now. */
  public Work work() {
    lock.lock();
    try {
      int queued = 0;
      int running = 0;
      for (HostedModel model : models) {
        ChatEngine engine = model.chatEngine();
        queued += engine == null ? 0 : engine.queued();
        running += engine == null ? 0 : engine.running();
      }
      return new Work(queued, running);
    } finally {
      lock.unlock();
    }
  }

  /**
   * The model of a name.
   *
   * @throws ApiException if there is none
   */
  public HostedModel find(String name) {
    return models.stream()
        .filter(model -> model.source().isCalled(name))
        .findFirst()
        .orElseThrow(() -> ApiException.noModel(name, "there are " + names(model -> true)));
  }

  /** The model of a name, or the first that chats where none is given. */
  public HostedModel chatModel(Optional<String> name) {
    return find(name, ModelSource::chats, "chats", "embeds images and texts and does not chat");
  }

  /** The model of a name, or the first that embeds where none is given. */
  public HostedModel embeddingModel(Optional<String> name) {
    return find(name, source -> !source.chats(), "embeds", "chats, and gives no embeddings");
  }

  private HostedModel find(
      Optional<String> name, Predicate<ModelSource> kind, String does, String instead) {
    Optional<String> given = name.filter(text -> !text.isBlank());
    if (given.isEmpty()) {
      return models.stream()
          .filter(model -> kind.test(model.source()))
          .findFirst()
          .orElseThrow(
              () -> new ApiException(Kind.NOT_FOUND, "this server has no model that " + does));
    }
    HostedModel model = find(given.get());
    if (!kind.test(model.source())) {
      throw ApiException.invalid(
          "model", "the model %s %s; there are %s".formatted(model.name(), instead, names(kind)));
    }
    return model;
  }

  private String names(Predicate<ModelSource> kind) {
    List<String> names =
        models.stream()
            .map(HostedModel::source)
            .filter(kind)
            .map(ModelSource::name)
            .limit(10)
            .toList();
    return names.isEmpty() ? "none" : String.join(", ", names);
  }

  /** Loads a model that chats, if it is not, and keeps it until the lease is closed. */
  public Lease<ChatEngine> chat(HostedModel model) {
    double waited = acquire(model);
    return new Lease<>(model, (ChatEngine) engine(model), waited, () -> release(model));
  }

  /** Loads a model that embeds, if it is not, and keeps it until the lease is closed. */
  public Lease<DualEncoder> embedding(HostedModel model) {
    double waited = acquire(model);
    return new Lease<>(model, (DualEncoder) engine(model), waited, () -> release(model));
  }

  private static AutoCloseable engine(HostedModel model) {
    AutoCloseable engine = model.engine;
    if (engine == null) {
      throw new IllegalStateException("a model in use was unloaded");
    }
    return engine;
  }

  /** Gives the milliseconds that loading took, 0 if it was not needed. */
  private double acquire(HostedModel model) {
    long start = System.nanoTime();
    boolean mine = false;
    boolean loaded = false;
    lock.lock();
    try {
      while (!mine && !loaded) {
        if (draining) {
          throw new ApiException(Kind.UNAVAILABLE, "the server is being stopped");
        }
        switch (model.state) {
          case LOADED -> loaded = true;
          case LOADING, UNLOADING -> await(start, model);
          case UNLOADED -> mine = makeRoom(model, start);
        }
      }
      if (loaded) {
        model.users++;
        return waitedSince(start);
      }
      model.state = HostedModel.State.LOADING;
    } finally {
      lock.unlock();
    }
    load(model);
    return waitedSince(start);
  }

  /** Less than this is no waiting. */
  private static double waitedSince(long start) {
    double millis = (System.nanoTime() - start) / 1e6;
    return millis < 1 ? 0 : millis;
  }

  private void await(long start, HostedModel model) {
    try {
      long left = PATIENCE.toNanos() - (System.nanoTime() - start);
      // loading takes as long as it takes; only memory that others use is not waited for for ever
      boolean isLoading = model.state == HostedModel.State.LOADING;
      if (left <= 0 && !isLoading) {
        throw new ApiException(
            Kind.UNAVAILABLE,
            "there is no memory for the model %s while others are in use".formatted(model.name()));
      }
      boolean unused =
          changed.await(Math.clamp(left, 1_000_000, 100_000_000), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ApiException(Kind.UNAVAILABLE, "the server is being stopped", e);
    }
  }

  /** Whether there is room; if not, another model was unloaded or waited for. */
  private boolean makeRoom(HostedModel wanted, long start) {
    wanted.bytes = estimate(wanted);
    if (options.memoryBytes() == 0) {
      return true;
    }
    if (wanted.bytes > options.memoryBytes()) {
      throw new ApiException(
          Kind.UNAVAILABLE,
          "the model %s takes about %d MiB, and the server may use %d MiB"
              .formatted(wanted.name(), wanted.bytes >> 20, options.memoryBytes() >> 20));
    }
    long taken =
        models.stream()
            .filter(model -> model.state != HostedModel.State.UNLOADED)
            .mapToLong(model -> model.bytes)
            .sum();
    if (taken + wanted.bytes <= options.memoryBytes()) {
      return true;
    }
    Optional<HostedModel> victim =
        models.stream().filter(HostedModel::isIdle).min(Comparator.comparingLong(m -> m.lastUse));
    if (victim.isPresent()) {
      unload(victim.get());
    } else {
      await(start, wanted);
    }
    return false;
  }

  private static long estimate(HostedModel model) {
    try {
      return MemoryEstimate.bytes(model.source());
    } catch (IOException | RuntimeException e) {
      LOGGER.log(Level.ERROR, "the model " + model.name() + " cannot be read", e);
      throw new ApiException(
          Kind.INTERNAL,
          "the model %s cannot be read; the server's log says why".formatted(model.name()),
          e);
    }
  }

  private void load(HostedModel model) {
    AutoCloseable engine = null;
    long start = System.nanoTime();
    try {
      engine = loader.load(model.source(), options);
      LOGGER.log(Level.INFO, "loaded the model {0}", model.name());
    } catch (Throwable e) { // no memory, too
      throw ModelLoader.failure(model.name(), e);
    } finally {
      lock.lock();
      try {
        model.engine = engine;
        model.keep = null;
        model.state = engine == null ? HostedModel.State.UNLOADED : HostedModel.State.LOADED;
        model.users = engine == null ? 0 : 1;
        model.lastUse = System.nanoTime();
        model.loadMillis = (System.nanoTime() - start) / 1e6;
        changed.signalAll();
      } finally {
        lock.unlock();
      }
    }
  }

  private void release(HostedModel model) {
    lock.lock();
    try {
      model.users--;
      model.lastUse = System.nanoTime();
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Unloads a model, if nobody uses it. */
  public boolean unloadIdle(HostedModel model) {
    lock.lock();
    try {
      if (!model.isIdle()) {
        return false;
      }
      unload(model);
      return true;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Says how long a model stays loaded after its last use, until it is unloaded or somebody says
   * something else.
   *
   * @param time {@link #FOR_EVER} for as long as its memory is not needed
   */
  public void keep(HostedModel model, Duration time) {
    lock.lock();
    try {
      model.keep = time;
    } finally {
      lock.unlock();
    }
  }

  /** How long a loaded model stays if nobody uses it from now on. */
  public Duration timeLeft(HostedModel model) {
    lock.lock();
    try {
      return model.left(options.maxIdle());
    } finally {
      lock.unlock();
    }
  }

  /** Unloads those that nobody has used for as long as the options or requests say. */
  public void unloadUnused() {
    lock.lock();
    try {
      for (HostedModel model : models) {
        if (model.isIdle() && model.left(options.maxIdle()).isNegative()) {
          unload(model);
        }
      }
    } finally {
      lock.unlock();
    }
  }

  /** Frees a model that nobody uses. The lock is held, and let go of while that takes time. */
  private void unload(HostedModel model) {
    AutoCloseable engine = engine(model);
    model.state = HostedModel.State.UNLOADING;
    model.engine = null;
    lock.unlock();
    try {
      engine.close();
      LOGGER.log(Level.INFO, "unloaded the model {0}", model.name());
    } catch (Exception e) {
      LOGGER.log(Level.ERROR, "the model " + model.name() + " could not be unloaded", e);
    } finally {
      lock.lock();
      model.state = HostedModel.State.UNLOADED;
      changed.signalAll();
    }
  }

  /**
   * Takes no more work, waits for what is being done, and cancels what takes longer.
   *
   * @param time to wait
   */
  public void drain(Duration time) {
    long end = System.nanoTime() + time.toNanos();
    lock.lock();
    try {
      draining = true;
      changed.signalAll();
      while (models.stream().anyMatch(m -> m.users > 0) && System.nanoTime() < end) {
        boolean unused = changed.await(50, TimeUnit.MILLISECONDS);
      }
      for (HostedModel model : models) {
        ChatEngine engine = model.chatEngine();
        if (engine != null) {
          engine.cancelAll();
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      lock.unlock();
    }
  }

  /** Whether no more work is taken. */
  public boolean isDraining() {
    lock.lock();
    try {
      return draining;
    } finally {
      lock.unlock();
    }
  }

  /** Cancels everything and frees all models. */
  @Override
  public void close() {
    drain(Duration.ZERO);
    lock.lock();
    try {
      for (HostedModel model : models) {
        while (model.state == HostedModel.State.LOADING
            || model.state == HostedModel.State.UNLOADING) {
          changed.awaitUninterruptibly();
        }
        if (model.state == HostedModel.State.LOADED) {
          unload(model);
        }
      }
    } finally {
      lock.unlock();
    }
  }
}
