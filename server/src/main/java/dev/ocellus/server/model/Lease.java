package dev.ocellus.server.model;

/**
 * A loaded model in use, which is not unloaded until this is closed.
 *
 * @param <E> what computes
 */
public final class Lease<E> implements AutoCloseable {
  private final HostedModel model;
  private final E engine;
  private final double loadMillis;
  private final Runnable release;
  private boolean closed;

  Lease(HostedModel model, E engine, double loadMillis, Runnable release) {
    this.model = model;
    this.engine = engine;
    this.loadMillis = loadMillis;
    this.release = release;
  }

  public HostedModel model() {
    return model;
  }

  public E engine() {
    return engine;
  }

  /** Time that this caller waited for the model to be loaded; 0 if it was. */
  public double loadMillis() {
    return loadMillis;
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      release.run();
    }
  }
}
