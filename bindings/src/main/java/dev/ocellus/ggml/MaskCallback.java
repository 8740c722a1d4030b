package dev.ocellus.ggml;

import dev.ocellus.ffi.ggml_h;
import dev.ocellus.ffi.ggml_tensor;
import dev.ocellus.gguf.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Changes the masks of non-causal batches where attention is about to read them, for what the masks
 * of libllama cannot say. Rows of a mask are the entries of the batch, in their order; columns the
 * cells of the cache.
 */
public abstract sealed class MaskCallback implements NodeCallback
    permits NonCausalMasks, OrderedMasks {
  private static final FunctionDescriptor DESCRIPTOR =
      FunctionDescriptor.of(
          ValueLayout.JAVA_BOOLEAN,
          ValueLayout.JAVA_LONG,
          ValueLayout.JAVA_BOOLEAN,
          ValueLayout.JAVA_LONG);

  private static final int SOFT_MAX = ObserverCallback.operation("SOFT_MAX");
  private static final int FLASH_ATTENTION = ObserverCallback.operation("FLASH_ATTN_EXT");

  private final @Nullable NodeCallback next;
  private final MemorySegment stub;
  private final Set<Long> done = new HashSet<>();
  private boolean active;
  private @Nullable Throwable failure;

  /**
   * @param next asked as well, or null
   * @param arena must live as long as anything computes with the callback
   */
  MaskCallback(@Nullable NodeCallback next, Arena arena) {
    this.next = next;
    this.stub =
        Upcalls.stub(
            MethodHandles.lookup(), new Target(this), "call", DESCRIPTOR, arena, 0L, true, 0L);
  }

  /** What native code calls. */
  private record Target(MaskCallback callback) {
    @SuppressWarnings("UnusedVariable") // the callback's signature
    private boolean call(long address, boolean ask, long userData) {
      return callback.visit(address, ask);
    }
  }

  /** A mask, copied from where it lies. */
  record Mask(MemorySegment data, long stride, int rows, int elementBytes) {
    /** Whether the entry of a row attends to a cell. */
    boolean attends(long row, long cell) {
      long at = row * stride + cell * elementBytes;
      return elementBytes == Short.BYTES
          ? data.get(ValueLayout.JAVA_SHORT, at) == 0
          : data.get(ValueLayout.JAVA_FLOAT, at) == 0;
    }

    /** Hides a cell from the entry of a row. */
    void hide(long row, long cell) {
      long at = row * stride + cell * elementBytes;
      if (elementBytes == Short.BYTES) {
        data.set(ValueLayout.JAVA_SHORT, at, Float.floatToFloat16(Float.NEGATIVE_INFINITY));
      } else {
        data.set(ValueLayout.JAVA_FLOAT, at, Float.NEGATIVE_INFINITY);
      }
    }

    /** How many cells the entry of a row attends to. */
    long nAttended(long row) {
      long n = 0;
      for (long cell = 0; cell < stride / elementBytes; cell++) {
        n += attends(row, cell) ? 1 : 0;
      }
      return n;
    }

    /** Lets the entries of rows attend to what that of another one attends to. */
    void copy(long source, long from, long to) {
      for (long row = from; row < to; row++) {
        MemorySegment.copy(data, source * stride, data, row * stride, stride);
      }
    }
  }

  /** Changes a mask that has not been changed in this batch. */
  abstract void change(Mask mask);

  /** Looks at a node before masks are changed that are read behind it. */
  void look(MemorySegment node) {}

  @Override
  public final MemorySegment stub() {
    return stub;
  }

  @Override
  public void begin(boolean causal) {
    active = !causal;
    done.clear();
    if (next != null) {
      next.begin(causal);
    }
  }

  @Override
  public final boolean visit(long address, boolean ask) {
    try {
      if (failure != null || address == 0) {
        return false;
      }
      if (ask && active) {
        changeMaskOf(MatMul.tensor(MemorySegment.ofAddress(address)));
      }
      return next == null ? !ask : next.visit(address, ask);
    } catch (Throwable e) {
      failure = e;
      return false;
    }
  }

  private void changeMaskOf(MemorySegment node) {
    look(node);
    int op = ggml_tensor.op(node);
    if (op != SOFT_MAX && op != FLASH_ATTENTION) {
      return;
    }
    MemorySegment address = ggml_tensor.src(node, op == SOFT_MAX ? 1 : 3);
    if (address.address() == 0 || !done.add(address.address())) {
      return;
    }
    MemorySegment tensor = MatMul.tensor(address);
    long bytes = ggml_h.ggml_nbytes(tensor);
    try (Arena scratch = Arena.ofConfined()) {
      MemorySegment data = scratch.allocate(bytes, 64);
      ggml_h.ggml_backend_tensor_get(tensor, data, 0, bytes);
      int rows = Math.toIntExact(ggml_tensor.ne(tensor, 1));
      change(new Mask(data, ggml_tensor.nb(tensor, 1), rows, elementBytes(tensor)));
      ggml_h.ggml_backend_tensor_set(tensor, data, 0, bytes);
    }
  }

  private static int elementBytes(MemorySegment mask) {
    int type = ggml_tensor.type(mask);
    Checks.require(
        type == TensorType.F16.id() || type == TensorType.F32.id(),
        () -> "an attention mask of type " + type);
    return type == TensorType.F16.id() ? Short.BYTES : Float.BYTES;
  }

  @Override
  public final void rethrow() {
    Throwable thrown = failure;
    failure = null;
    if (next != null) {
      next.rethrow();
    }
    Thrown.rethrow(thrown);
  }
}
