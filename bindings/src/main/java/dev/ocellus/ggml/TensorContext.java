package dev.ocellus.ggml;

import static dev.ocellus.ggml.Checks.require;

import dev.ocellus.compute.GgmlException;
import dev.ocellus.ffi.ggml_h;
import dev.ocellus.ffi.ggml_init_params;
import dev.ocellus.ffi.ggml_tensor;
import dev.ocellus.gguf.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The headers of tensors, without their data, in as many {@code ggml_context}s as they need.
 *
 * <p>ggml aborts when a context overflows. So another one is begun before that can happen; an
 * operation may take its arguments from any of them.
 */
final class TensorContext extends NativeObject {
  /** Headers of the first context. Each further one holds twice as many as the one before. */
  private static final int FIRST = 64;

  private static final int MAX = 4096;

  /** An operation makes one header, or a few where ggml composes it of others. */
  private static final int PER_OPERATION = 8;

  private final List<MemorySegment> contexts = new ArrayList<>();
  private final List<Tensor> first = new ArrayList<>();
  private final Map<Long, Long> indexLimits = new HashMap<>();
  private final Map<String, Tensor> named = new LinkedHashMap<>();
  private final long headerBytes;
  private final boolean mapped;
  private int capacity = FIRST / 2;
  private boolean accelerated;

  TensorContext() {
    this(false);
  }

  /**
   * @param mapped whether the data of all tensors lie where a file is mapped
   */
  TensorContext(boolean mapped) {
    this.mapped = mapped;
    headerBytes = ggml_h.ggml_tensor_overhead();
    grow();
  }

  /** Says that an accelerator is among what the tensors' graph is computed with. */
  void accelerate() {
    accelerated = true;
  }

  boolean isAccelerated() {
    return accelerated;
  }

  private void grow() {
    capacity = Math.min(2 * capacity, MAX);
    contexts.add(newContext((capacity + PER_OPERATION) * headerBytes));
  }

  private MemorySegment newContext(long bytes) {
    try (Arena scratch = Arena.ofConfined()) {
      MemorySegment params = ggml_init_params.allocate(scratch);
      ggml_init_params.mem_size(params, bytes);
      ggml_init_params.mem_buffer(params, MemorySegment.NULL);
      ggml_init_params.no_alloc(params, true);
      MemorySegment context = ggml_h.ggml_init(params);
      if (context.address() == 0) {
        throw new GgmlException(
            "ggml has no memory for the headers of tensors (%d bytes)".formatted(bytes));
      }
      return adopt(context, ggml_h::ggml_free);
    }
  }

  boolean isMapped() {
    return mapped;
  }

  /** A context with room for the headers of one more operation. */
  MemorySegment handle() {
    if (ggml_h.ggml_used_mem(contexts.getLast()) > capacity * headerBytes) {
      grow();
    }
    return contexts.getLast();
  }

  /** All contexts, none of them empty. */
  List<MemorySegment> handles() {
    return contexts.stream().filter(context -> ggml_h.ggml_used_mem(context) > 0).toList();
  }

  /** Lets the graph begin with a node and what it needs, after what was put first before. */
  void putFirst(Tensor tensor) {
    first.add(tensor);
  }

  /**
   * Makes the graph of what was put first, then of the outputs. Its room is counted: one place for
   * each tensor that was made here and for each that comes from elsewhere, such as a weight.
   */
  Graph newGraph(Tensor... outputs) {
    int size = size();
    MemorySegment context = newContext(ggml_h.ggml_graph_overhead_custom(size, false) + 1024);
    MemorySegment graph = ggml_h.ggml_new_graph_custom(context, size, false);
    NativeStack.runForGraph(
        size,
        () -> {
          first.forEach(tensor -> ggml_h.ggml_build_forward_expand(graph, tensor.handle()));
          for (Tensor output : outputs) {
            ggml_h.ggml_build_forward_expand(graph, output.handle());
          }
        });
    return new Graph(this, graph, size);
  }

  private int size() {
    Set<Long> tensors = new HashSet<>();
    for (MemorySegment context : contexts) {
      MemorySegment tensor = ggml_h.ggml_get_first_tensor(context);
      while (tensor.address() != 0) {
        tensors.add(tensor.address());
        MemorySegment header = tensor.reinterpret(ggml_tensor.sizeof());
        for (int i = 0; i < ggml_h.GGML_MAX_SRC(); i++) {
          tensors.add(ggml_tensor.src(header, i).address());
        }
        tensor = ggml_h.ggml_get_next_tensor(context, tensor);
      }
    }
    return tensors.size(); // with the NULL of unused arguments, which does no harm
  }

  /** Wraps a tensor that ggml has just made here. */
  Tensor node(MemorySegment tensor) {
    return new Tensor(this, tensor);
  }

  Tensor newTensor(String name, TensorType type, long... shape) {
    require(
        shape.length >= 1 && shape.length <= 4,
        () -> name + ": expected one to four sizes, found " + shape.length);
    long elements = 1;
    for (long size : shape) {
      require(size > 0, () -> name + ": sizes must be positive, found " + size);
      elements = Math.multiplyExact(elements, size);
    }
    type.bytes(
        shape); // throws for a row that does not fill its blocks, or for more bytes than exist
    MemorySegment created =
        switch (shape.length) {
          case 1 -> ggml_h.ggml_new_tensor_1d(handle(), type.id(), shape[0]);
          case 2 -> ggml_h.ggml_new_tensor_2d(handle(), type.id(), shape[0], shape[1]);
          case 3 -> ggml_h.ggml_new_tensor_3d(handle(), type.id(), shape[0], shape[1], shape[2]);
          default ->
              ggml_h.ggml_new_tensor_4d(
                  handle(), type.id(), shape[0], shape[1], shape[2], shape[3]);
        };
    Tensor tensor = node(created);
    setName(tensor, name);
    return tensor;
  }

  void setName(Tensor tensor, String name) {
    require(
        name.getBytes(StandardCharsets.UTF_8).length < ggml_h.GGML_MAX_NAME(),
        () ->
            "The name %s is longer than the %d bytes that ggml keeps"
                .formatted(name, ggml_h.GGML_MAX_NAME() - 1));
    try (Arena scratch = Arena.ofConfined()) {
      ggml_h.ggml_set_name(tensor.handle(), scratch.allocateFrom(name));
    }
    named.put(name, tensor);
  }

  /** Everything that was given a name here. */
  Map<String, Tensor> named() {
    return named;
  }

  void limitIndices(Tensor indices, long limit) {
    indexLimits.put(indices.handle().address(), limit);
  }

  /** As {@link #indexLimit}, or null for an input without a limit. */
  @Nullable Long findIndexLimit(Tensor indices) {
    return indexLimits.get(indices.handle().address());
  }

  /** One more than the largest number that may stand in {@code indices}. */
  long indexLimit(Tensor indices) {
    Long limit = findIndexLimit(indices);
    if (limit == null) {
      throw new GgmlException(indices.describe() + " was not made by GraphBuilder.indices");
    }
    return limit;
  }
}
