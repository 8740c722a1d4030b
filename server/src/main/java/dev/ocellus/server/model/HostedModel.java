package dev.ocellus.server.model;

import dev.ocellus.server.options.ModelSource;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A model of a server and where it stands. All that changes is guarded by its {@link ModelHost}.
 */
public final class HostedModel {
  /** Where a model stands. */
  public enum State {
    UNLOADED,
    LOADING,
    LOADED,
    UNLOADING
  }

  private final ModelSource source;
  private final ModelFiles files;
  State state = State.UNLOADED;
  @Nullable AutoCloseable engine;
  int users;
  long lastUse;

  /** How long it stays after its last use; null where the server's options say it. */
  @Nullable Duration keep;

  long bytes;
  double loadMillis;

  HostedModel(ModelSource source) {
    this.source = source;
    this.files = new ModelFiles(source);
  }

  /** What requests call it. */
  public String name() {
    return source.name();
  }

  /** What it is loaded from. */
  public ModelSource source() {
    return source;
  }

  /** What its files say, without loading it. */
  public ModelFiles files() {
    return files;
  }

  /** When its files were made. */
  public Instant created() {
    return files.modified();
  }

  /** Whether it is loaded, and nobody uses it. */
  boolean isIdle() {
    return state == State.LOADED && users == 0;
  }

  /**
   * How long it still stays if nobody uses it; negative when that is over.
   *
   * @param otherwise where no request has said it; zero for ever
   */
  Duration left(Duration otherwise) {
    Duration asked = keep;
    if (asked == null ? otherwise.isZero() : asked.equals(ModelHost.FOR_EVER)) {
      return ModelHost.FOR_EVER;
    }
    Duration stays = asked == null ? otherwise : asked;
    return users > 0 ? stays : stays.minusNanos(System.nanoTime() - lastUse);
  }

  /** The engine of a loaded model that chats; null for any other. */
  @Nullable ChatEngine chatEngine() {
    return engine instanceof ChatEngine chat ? chat : null;
  }
}
