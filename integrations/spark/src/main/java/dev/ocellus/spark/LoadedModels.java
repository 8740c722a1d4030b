package dev.ocellus.spark;

import dev.ocellus.compute.GpuSelection;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;

/**
 * The models of this executor, each loaded once by the first task that needs it, while the others
 * wait. They stay for later tasks, until the executor ends; one that nobody has used for a while
 * makes room when another is loaded.
 */
final class LoadedModels {
  /** What makes it another model. */
  private record Key(String source, ModelUse use, ExecutorOptions options, Compute compute) {}

  /** A model, and who uses it; guarded by the class. */
  private static final class Entry {
    private final CompletableFuture<LoadedModel> model = new CompletableFuture<>();
    private int users;
    private long lastUsed;
  }

  private static final long IDLE_NANOS = TimeUnit.MINUTES.toNanos(1);

  private static final Map<Key, Entry> LOADED = new HashMap<>();
  private static boolean hasHook;

  private LoadedModels() {}

  /** A model that a task uses until it closes this. */
  static final class Use implements AutoCloseable {
    private final Entry entry;
    private final LoadedModel model;
    private boolean closed; // guarded by the class

    private Use(Entry entry, LoadedModel model) {
      this.entry = entry;
      this.model = model;
    }

    LoadedModel model() {
      return model;
    }

    @Override
    public void close() {
      release(this);
    }
  }

  /**
   * The model, loaded if it is not yet.
   *
   * @throws IOException if its files cannot be read
   * @throws dev.ocellus.OcellusException if they are no such model
   */
  static Use acquire(ModelSource source, ModelUse use, ExecutorOptions options, Compute compute)
      throws IOException {
    Key key = new Key(source + " " + source.expected(), use, options, compute);
    Entry entry;
    boolean first;
    synchronized (LoadedModels.class) {
      entry = LOADED.get(key);
      first = entry == null;
      if (entry == null) {
        addHook();
        closeIdle();
        entry = new Entry();
        LOADED.put(key, entry);
      }
      entry.users++;
    }
    if (first) {
      load(key, entry, source);
    }
    try {
      return new Use(entry, entry.model.join());
    } catch (CompletionException e) {
      if (e.getCause() instanceof IOException cause) {
        throw cause;
      }
      throw e.getCause() instanceof RuntimeException cause ? cause : e;
    }
  }

  private static synchronized void release(Use use) {
    if (!use.closed) {
      use.closed = true;
      use.entry.users--;
      use.entry.lastUsed = System.nanoTime();
    }
  }

  private static void load(Key key, Entry entry, ModelSource source) {
    try {
      entry.model.complete(open(source, key.use, key.options, key.compute));
    } catch (Throwable e) {
      synchronized (LoadedModels.class) {
        LOADED.remove(key); // the next task tries again
      }
      entry.model.completeExceptionally(e);
    }
  }

  private static LoadedModel open(
      ModelSource source, ModelUse use, ExecutorOptions options, Compute compute)
      throws IOException {
    if (compute.gpu() >= 0) {
      GpuSelection.only(compute.gpu());
    }
    LocatedModel files = LocatedModel.find(source);
    if (use == ModelUse.CHAT) {
      return ChatModel.open(source, files, options, compute);
    }
    Path mmproj = files.mmproj();
    return mmproj == null
        ? VectorModel.open(source, files, compute)
        : VisionVectorModel.open(files, mmproj, options, compute);
  }

  private static void addHook() {
    if (!hasHook) {
      hasHook = true;
      Runtime.getRuntime().addShutdownHook(new Thread(LoadedModels::closeAll, "ocellus-close"));
    }
  }

  private static void closeIdle() {
    long now = System.nanoTime();
    for (Iterator<Entry> all = LOADED.values().iterator(); all.hasNext(); ) {
      Entry entry = all.next();
      if (entry.users == 0 && now - entry.lastUsed > IDLE_NANOS) {
        all.remove();
        close(entry);
      }
    }
  }

  /** Closes all, when the application ends. */
  static void closeAll() {
    synchronized (LoadedModels.class) {
      LOADED.values().forEach(LoadedModels::close);
      LOADED.clear();
    }
  }

  private static void close(Entry entry) {
    LoadedModel model = entry.model.isCompletedExceptionally() ? null : entry.model.getNow(null);
    if (model != null) {
      model.close();
    }
  }

  /** How many there are. */
  static synchronized int count() {
    return LOADED.size();
  }
}
