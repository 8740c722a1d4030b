package dev.ocellus.ggml;

import dev.ocellus.ffi.ggml_h;
import java.lang.foreign.MemorySegment;

/** A graph that can be computed any number of times, on a {@link Scheduler}. */
public final class Graph implements AutoCloseable {
  private final TensorContext context;
  private final MemorySegment handle;

  Graph(TensorContext context, MemorySegment handle) {
    this.context = context;
    this.handle = context.borrow(handle);
  }

  MemorySegment handle() {
    return handle;
  }

  TensorContext context() {
    return context;
  }

  /** Number of operations. */
  public int nNodes() {
    return ggml_h.ggml_graph_n_nodes(handle);
  }

  @Override
  public void close() {
    context.close();
  }
}
