package dev.ocellus.ggml;

import dev.ocellus.ffi.ggml_h;
import dev.ocellus.ffi.ggml_tensor;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * A graph that can be computed on a {@link Scheduler} any number of times, until the scheduler
 * computes another one.
 */
public final class Graph implements AutoCloseable {
  private final TensorContext context;
  private final MemorySegment handle;
  private final int size;
  private boolean allocated;

  Graph(TensorContext context, MemorySegment handle, int size) {
    this.context = context;
    this.handle = context.borrow(handle);
    this.size = size;
  }

  MemorySegment handle() {
    return handle;
  }

  TensorContext context() {
    return context;
  }

  /** Whether a scheduler has given memory to the tensors before. */
  boolean wasAllocated() {
    return allocated;
  }

  /**
   * Marks that a scheduler gives memory to the tensors. ggml leaves a tensor where it is once it
   * has memory, even if that memory was freed for another graph.
   */
  void markAllocated() {
    allocated = true;
  }

  /**
   * The tensor that was given a name while the graph was built.
   *
   * @throws IllegalArgumentException if there is none; the message lists the names
   */
  public Tensor named(String name) {
    Tensor tensor = context.named().get(name);
    if (tensor == null) {
      throw new IllegalArgumentException(
          "This graph has no tensor %s, only %s".formatted(name, context.named().keySet()));
    }
    return tensor;
  }

  /** Names that were given while the graph was built, in that order. */
  public List<String> names() {
    return List.copyOf(context.named().keySet());
  }

  /** At least the number of operations, inputs and weights together. */
  int size() {
    return size;
  }

  /** The header of an operation. */
  MemorySegment node(int index) {
    return ggml_h.ggml_graph_node(handle, index).reinterpret(ggml_tensor.sizeof());
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
