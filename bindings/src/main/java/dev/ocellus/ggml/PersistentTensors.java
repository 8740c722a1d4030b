package dev.ocellus.ggml;

import static dev.ocellus.ggml.Checks.require;

import dev.ocellus.compute.OutOfDeviceMemoryException;
import dev.ocellus.ffi.ggml_h;
import dev.ocellus.gguf.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Tensors on a device whose values stay from one computation to the next, such as a KV cache. A
 * graph takes them like weights ({@link Tensor#inGraphOf}) and writes them by {@link Tensor#copyTo}
 * and {@link Tensor#copyRowsTo}.
 *
 * <p>Make all of them, then {@link #allocate()}. Not thread-safe: nothing may touch the values
 * while a graph that uses them is computed, and no such graph may be computed after {@link
 * #close()}.
 */
public final class PersistentTensors extends NativeObject {
  private final Backend backend;
  private final TensorContext context;
  private final Runnable onClose;
  private boolean allocated;
  private long bytes;

  /**
   * @param backend where the values live
   */
  public PersistentTensors(Backend backend) {
    this(backend, () -> {});
  }

  /**
   * @param backend where the values live
   * @param onClose called before they go, so that what could still use them can be closed
   */
  public PersistentTensors(Backend backend, Runnable onClose) {
    this.backend = backend;
    this.onClose = onClose;
    this.context = new TensorContext();
  }

  /**
   * Adds a tensor.
   *
   * @param type F32 or F16
   */
  public Tensor create(String name, TensorType type, long... shape) {
    requireOpen();
    require(!allocated, () -> name + ": these tensors have been allocated already");
    require(
        type == TensorType.F32 || type == TensorType.F16,
        () -> "%s: expected F32 or F16, found %s".formatted(name, type));
    require(
        !context.named().containsKey(name),
        () -> name + ": there is a tensor of this name already");
    Tensor tensor = context.newTensor(name, type, shape);
    bytes = Math.addExact(bytes, type.bytes(shape));
    return tensor;
  }

  /**
   * Takes memory for all tensors and fills it with zeros.
   *
   * @throws OutOfDeviceMemoryException if the device has too little free memory
   */
  public PersistentTensors allocate() {
    requireOpen();
    if (allocated) {
      return this;
    }
    for (MemorySegment headers : context.handles()) {
      MemorySegment buffer =
          NativeStack.call(() -> ggml_h.ggml_backend_alloc_ctx_tensors(headers, backend.handle()));
      if (buffer.address() == 0) {
        throw new OutOfDeviceMemoryException(
            "%s has no room for %d MiB of values to keep (%d MiB are free). Free memory, or use a smaller context or another device."
                .formatted(backend.device(), bytes >> 20, backend.device().freeMemory() >> 20));
      }
      ggml_h.ggml_backend_buffer_clear(adopt(buffer, ggml_h::ggml_backend_buffer_free), (byte) 0);
    }
    allocated = true;
    return this;
  }

  /** Fills all tensors with zeros. */
  public void clear() {
    requireAllocated();
    for (Tensor tensor : context.named().values()) {
      ggml_h.ggml_backend_tensor_memset(
          tensor.handle(), (byte) 0, 0, tensor.type().bytes(tensor.shape()));
    }
  }

  /** Sets all values of an F32 tensor, innermost dimension first. */
  public void set(Tensor tensor, float[] values) {
    requireAllocated();
    requireF32(tensor, values.length);
    try (Arena scratch = Arena.ofConfined()) {
      MemorySegment copy = scratch.allocateFrom(ValueLayout.JAVA_FLOAT, values);
      ggml_h.ggml_backend_tensor_set(tensor.handle(), copy, 0, copy.byteSize());
    }
  }

  /** All values of an F32 tensor, innermost dimension first. */
  public float[] get(Tensor tensor) {
    requireAllocated();
    requireF32(tensor, tensor.nElements());
    try (Arena scratch = Arena.ofConfined()) {
      MemorySegment copy = scratch.allocate(4 * tensor.nElements(), 64);
      ggml_h.ggml_backend_tensor_get(tensor.handle(), copy, 0, copy.byteSize());
      return copy.toArray(ValueLayout.JAVA_FLOAT);
    }
  }

  /** Bytes of all values. */
  public long bytes() {
    return bytes;
  }

  private void requireAllocated() {
    requireOpen();
    require(allocated, () -> "These tensors have not been allocated; call allocate() first");
  }

  private static void requireF32(Tensor tensor, long elements) {
    require(
        tensor.type() == TensorType.F32 && tensor.nElements() == elements,
        () -> "expected F32 and %d values, found %s".formatted(elements, tensor.describe()));
  }

  @Override
  protected void beforeClose() {
    onClose.run();
    context.close();
  }
}
