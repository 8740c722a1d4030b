package dev.ocellus.ggml;

import dev.ocellus.ffi.ggml_h;
import dev.ocellus.ffi.ggml_tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import org.jspecify.annotations.Nullable;

/**
 * Lets a {@link MatMulObserver} be called by ggml's scheduler. Nothing that it throws may cross
 * native code, so it is kept, the computation ends early, and {@link #rethrow} throws it.
 */
public final class ObserverCallback implements NodeCallback {
  private static final FunctionDescriptor DESCRIPTOR =
      FunctionDescriptor.of(
          ValueLayout.JAVA_BOOLEAN,
          ValueLayout.JAVA_LONG,
          ValueLayout.JAVA_BOOLEAN,
          ValueLayout.JAVA_LONG);

  private static final int MUL_MAT_ID = operation("MUL_MAT_ID");

  private final MatMulObserver observer;
  private final MemorySegment stub;
  private @Nullable Throwable failure;

  /**
   * @param arena must live as long as anything computes with the callback
   */
  public ObserverCallback(MatMulObserver observer, Arena arena) {
    this.observer = observer;
    this.stub = Upcalls.stub(MethodHandles.lookup(), this, "call", DESCRIPTOR, arena, 0L, true, 0L);
  }

  /** The number of an operation. */
  static int operation(String name) {
    for (int op = 0; op < ggml_h.GGML_OP_COUNT(); op++) {
      if (ggml_h.ggml_op_name(op).getString(0).equals(name)) {
        return op;
      }
    }
    throw new IllegalStateException("ggml has no operation " + name);
  }

  @Override
  public MemorySegment stub() {
    return stub;
  }

  @SuppressWarnings("UnusedVariable") // the callback's signature
  private boolean call(long address, boolean ask, long userData) {
    return visit(address, ask);
  }

  @Override
  public boolean visit(long address, boolean ask) {
    try {
      if (failure != null || address == 0) {
        return false;
      }
      MemorySegment node = MatMul.tensor(MemorySegment.ofAddress(address));
      int op = ggml_tensor.op(node);
      if (op != ggml_h.GGML_OP_MUL_MAT() && op != MUL_MAT_ID) {
        return !ask;
      }
      MatMul matMul = new MatMul(node, op == MUL_MAT_ID);
      if (ask) {
        return observer.wants(matMul);
      }
      observer.observe(matMul);
      return true;
    } catch (Throwable e) {
      failure = e;
      return false;
    }
  }

  /** Throws what the observer threw since the last call of this, if it did. */
  @Override
  public void rethrow() {
    Throwable thrown = failure;
    failure = null;
    Thrown.rethrow(thrown);
  }
}
