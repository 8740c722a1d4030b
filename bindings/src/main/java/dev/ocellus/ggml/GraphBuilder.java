package dev.ocellus.ggml;

import static dev.ocellus.ggml.Checks.require;

import dev.ocellus.ffi.ggml_h;
import dev.ocellus.gguf.TensorType;

/**
 * Builds one graph: make the inputs, apply operations to them, and name what is to come out.
 *
 * <pre>{@code
 * var b = new GraphBuilder();
 * Tensor x = b.input("pixels", 588, 576);
 * Graph graph = b.build(x.mulMat(weight).add(bias).named("out"));
 * }</pre>
 */
public final class GraphBuilder implements AutoCloseable {
  private final TensorContext context;
  private boolean built;
  private boolean keepNamed;

  /** Starts a graph, which grows with what is put into it. */
  public GraphBuilder() {
    Ggml.initialize();
    this.context = new TensorContext();
  }

  /**
   * Makes every named intermediate readable after a computation, for tests that compare layers. It
   * costs memory, since their room cannot be used again.
   */
  public GraphBuilder keepNamed() {
    keepNamed = true;
    return this;
  }

  /** Whether {@link #keepNamed} was asked for. */
  public boolean keepsNamed() {
    return keepNamed;
  }

  /**
   * Lets operations be such as only a scheduler with an accelerator computes, if this one has it.
   */
  public GraphBuilder on(Scheduler scheduler) {
    if (scheduler.hasAccelerator()) {
      context.accelerate();
    }
    return this;
  }

  /** An F32 input that is filled for every computation. */
  public Tensor input(String name, long... shape) {
    Tensor tensor = context.newTensor(name, TensorType.F32, shape);
    ggml_h.ggml_set_input(tensor.handle());
    return tensor;
  }

  /**
   * An input of {@code n} numbers from 0 up to {@code limit - 1}, which {@link Tensor#getRows}
   * takes.
   */
  public Tensor indices(String name, long n, long limit) {
    require(limit > 0, () -> name + ": the limit must be positive, found " + limit);
    Tensor tensor = positions(name, n);
    context.limitIndices(tensor, limit);
    return tensor;
  }

  /** An input of {@code n} integers without a limit, such as rotary positions. */
  public Tensor positions(String name, long n) {
    Tensor tensor = context.newTensor(name, TensorType.I32, n);
    ggml_h.ggml_set_input(tensor.handle());
    return tensor;
  }

  /**
   * Ends the building. The graph owns everything that was made here.
   *
   * @param outputs tensors whose values can be read after a computation
   * @throws IllegalStateException if a graph was built already
   */
  public Graph build(Tensor... outputs) {
    if (built) {
      throw new IllegalStateException("This builder has built its graph already");
    }
    require(outputs.length > 0, () -> "A graph needs at least one output");
    if (keepNamed) {
      context.named().values().forEach(Tensor::output);
    }
    for (Tensor output : outputs) {
      output.output();
    }
    Graph graph = context.newGraph(outputs);
    built = true;
    return graph;
  }

  /** Frees what was made, if no graph was built from it. */
  @Override
  public void close() {
    if (!built) {
      context.close();
    }
  }
}
