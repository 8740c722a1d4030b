package dev.ocellus.ggml;

import static dev.ocellus.ggml.Checks.require;

import dev.ocellus.ffi.ggml_h;
import dev.ocellus.ffi.ggml_init_params;
import dev.ocellus.gguf.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A {@code ggml_context} without data: the headers of up to {@code capacity} tensors.
 *
 * <p>ggml aborts when a context overflows, so tensors are counted here.
 */
final class TensorContext extends NativeObject {
  private final MemorySegment handle;
  private final int capacity;
  private final Map<Long, Long> indexLimits = new HashMap<>();
  private final Map<String, Tensor> named = new LinkedHashMap<>();
  private MemorySegment graph = MemorySegment.NULL;
  private int used;

  /**
   * @param capacity most tensors
   * @param graphSize most nodes of a graph that is to live here too; 0 for none
   */
  TensorContext(int capacity, int graphSize) {
    this.capacity = capacity;
    try (Arena scratch = Arena.ofConfined()) {
      MemorySegment params = ggml_init_params.allocate(scratch);
      // a concat or a rope may make a second header, hence twice the room
      long bytes = 2 * (capacity + 1L) * ggml_h.ggml_tensor_overhead();
      if (graphSize > 0) {
        bytes += ggml_h.ggml_graph_overhead_custom(graphSize, false);
      }
      ggml_init_params.mem_size(params, bytes);
      ggml_init_params.mem_buffer(params, MemorySegment.NULL);
      ggml_init_params.no_alloc(params, true);
      MemorySegment context = ggml_h.ggml_init(params);
      if (context.address() == 0) {
        close();
        throw new GgmlException(
            "ggml has no memory for the headers of %d tensors".formatted(capacity));
      }
      handle = adopt(context, ggml_h::ggml_free);
    }
  }

  MemorySegment handle() {
    require(
        used < capacity,
        () -> "A graph has more than the %d nodes that it was made for".formatted(capacity));
    return handle;
  }

  /** Makes the graph that {@link #expand} puts nodes into. */
  MemorySegment newGraph(long size) {
    graph = ggml_h.ggml_new_graph_custom(handle, size, false);
    return graph;
  }

  void expand(Tensor tensor) {
    require(
        graph.address() != 0, () -> tensor.describe() + " does not belong to a graph being built");
    ggml_h.ggml_build_forward_expand(graph, tensor.handle());
  }

  /** Wraps a tensor that ggml has just made here. */
  Tensor node(MemorySegment tensor) {
    used++;
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
