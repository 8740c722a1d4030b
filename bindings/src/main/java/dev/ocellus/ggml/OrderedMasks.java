package dev.ocellus.ggml;

import dev.ocellus.ffi.ggml_h;
import dev.ocellus.ffi.ggml_tensor;
import dev.ocellus.gguf.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Lets each entry of a batch attend to those before it in the order of the batch, whatever their
 * positions are. libllama goes by positions, which for embeddings on a plane may go back.
 *
 * <p>The batch is decoded as a non-causal one, whose entries attend to everything of their
 * sequence; the cells that the batch itself fills are told by the operation that fills them, and
 * those of later entries are hidden.
 */
public final class OrderedMasks extends MaskCallback {
  private static final int SET_ROWS = ObserverCallback.operation("SET_ROWS");

  /** Cells of the batch's entries, in their order; of the last layer that was seen. */
  private long[] cells = {};

  /**
   * @param next asked as well, or null
   * @param arena must live as long as anything computes with the callback
   */
  public OrderedMasks(@Nullable NodeCallback next, Arena arena) {
    super(next, arena);
  }

  @Override
  public void begin(boolean causal) {
    cells = new long[0];
    super.begin(causal);
  }

  /** Keys are put into the cache as rows, before they are attended to. */
  @Override
  void look(MemorySegment node) {
    if (ggml_tensor.op(node) != SET_ROWS || cells.length > 0) {
      return;
    }
    MemorySegment indices = MatMul.tensor(ggml_tensor.src(node, 1));
    long bytes = ggml_h.ggml_nbytes(indices);
    Checks.require(
        ggml_tensor.type(indices) == TensorType.I64.id(), () -> "cells of keys are not I64");
    try (Arena scratch = Arena.ofConfined()) {
      MemorySegment data = scratch.allocate(bytes, 64);
      ggml_h.ggml_backend_tensor_get(indices, data, 0, bytes);
      cells = data.toArray(ValueLayout.JAVA_LONG);
    }
  }

  @Override
  void change(Mask mask) {
    int rows = mask.rows();
    Checks.require(
        cells.length == rows,
        () -> "a mask of %d rows for the cells %s".formatted(rows, Arrays.toString(cells)));
    for (int row = 0; row < rows; row++) {
      for (int later = row + 1; later < rows; later++) {
        mask.hide(row, cells[later]);
      }
    }
  }
}
