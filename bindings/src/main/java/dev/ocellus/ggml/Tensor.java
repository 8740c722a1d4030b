package dev.ocellus.ggml;

import static dev.ocellus.ggml.Checks.require;

import dev.ocellus.ffi.ggml_h;
import dev.ocellus.ffi.ggml_tensor;
import dev.ocellus.gguf.TensorType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A node of a graph, or a weight.
 *
 * <p>Operations are methods on the activation and add a node to the graph that it belongs to;
 * weights are only arguments. Shapes are in ggml order, innermost first, and are checked here
 * before ggml sees them. Broadcasting is ggml's: the argument is repeated along every dimension in
 * which the receiver's size is a multiple of its own.
 */
public final class Tensor extends TensorMath {
  Tensor(TensorContext context, MemorySegment handle) {
    super(context, handle);
  }

  @Override
  Tensor self() {
    return this;
  }

  /** Marks an intermediate so that tests can compare it with a reference. Returns this tensor. */
  public Tensor named(String name) {
    context.setName(this, name);
    return this;
  }

  /**
   * {@code weight · this}: a linear map of the rows.
   *
   * @param weight {@code [nIn, nOut, …]}, of any type; its outer sizes divide those of this tensor
   * @return {@code [nOut, n, …]} in F32, for this tensor {@code [nIn, n, …]}
   */
  public Tensor mulMat(Tensor weight) {
    require(
        weight.shape[0] == shape[0]
            && shape[2] % weight.shape[2] == 0
            && shape[3] % weight.shape[3] == 0,
        () ->
            "mulMat: %s cannot be applied to %s; the first sizes must be equal and the outer ones multiples"
                .formatted(weight.describe(), describe()));
    require(
        weight.hasContiguousRows()
            && stride[0] == type.blockBytes()
            && weight.stride[0] <= weight.stride[1],
        () ->
            "mulMat: rows must be contiguous in %s and %s; call contiguous() first"
                .formatted(weight.describe(), describe()));
    require(
        type == TensorType.F32, () -> "mulMat: expected an F32 activation, found " + describe());
    return node(ggml_h.ggml_mul_mat(context.handle(), weight.handle, handle));
  }

  /**
   * As {@link #mulMat}, marked as to be computed in F32. An accelerator obeys; ggml's own kernels
   * round the activations to the type of the weight all the same.
   */
  public Tensor mulMatExactly(Tensor weight) {
    Tensor product = mulMat(weight);
    ggml_h.ggml_mul_mat_set_prec(product.handle, ggml_h.GGML_PREC_F32());
    return product;
  }

  /**
   * As {@link #mulMat}, marked as one whose operands may be rounded to BF16, which an accelerator
   * does by itself with a matrix that lies in a file.
   */
  public Tensor mulMatRounded(Tensor weight) {
    Tensor product = mulMat(weight);
    MemorySegment params = ggml_tensor.op_params(product.handle.reinterpret(ggml_tensor.sizeof()));
    params.setAtIndex(ValueLayout.JAVA_INT, AccelNode.ROUNDED, 1);
    return product;
  }

  /**
   * Marks a product or GELU as of items that are computed together, such as the images of a batch:
   * whether an accelerator takes it depends on one item alone, so that what comes of an item does
   * not depend on how many there are. Returns this tensor.
   *
   * @param rows of one item
   * @param count items
   */
  public Tensor ofItems(long rows, long count) {
    MemorySegment params = ggml_tensor.op_params(handle.reinterpret(ggml_tensor.sizeof()));
    params.setAtIndex(ValueLayout.JAVA_INT, AccelNode.ITEM_ROWS, Math.toIntExact(rows));
    params.setAtIndex(ValueLayout.JAVA_INT, AccelNode.ITEMS, Math.toIntExact(count));
    return this;
  }

  /**
   * Marks a result that is read by nothing but the operation that is made next, such as a
   * convolution before its bias is added: an accelerator may compute both at once, and leave this
   * result out. Returns this tensor.
   */
  public Tensor onlyForNext() {
    MemorySegment params = ggml_tensor.op_params(handle.reinterpret(ggml_tensor.sizeof()));
    params.setAtIndex(ValueLayout.JAVA_INT, AccelMaps.ONLY_FOR_NEXT, 1);
    return this;
  }

  // ---- attention

  /**
   * Attention in one kernel: {@code softmax(scale · keys · queries) · values}, without ever holding
   * the whole matrix of weights.
   *
   * <p>On a CPU it is F32 throughout, as keys and values are F32 here. Kernels of other devices may
   * round them to F16 first.
   *
   * @param keys [dHead, nKeys, nHeadKv, batch], for this tensor [dHead, nQueries, nHead, batch];
   *     nHead must be a multiple of nHeadKv, and batch of theirs, which may be 1
   * @param values [dHead of values, nKeys, nHeadKv, batch]
   * @return [dHead of values, nHead, nQueries, batch], contiguous
   */
  public Tensor attention(Tensor keys, Tensor values, float scale) {
    return attention(keys, values, null, scale);
  }

  /**
   * The same with {@code mask} added to the scores before the softmax.
   *
   * @param mask [nKeys, nQueries, 1 or nHead, 1 or batch] in F16, contiguous, which holds 0 and
   *     minus infinity exactly: {@link #toF16}. A query that may attend to no key gets zeros.
   */
  public Tensor attention(Tensor keys, Tensor values, @Nullable Tensor mask, float scale) {
    checkF32Rows("attention");
    keys.checkF32Rows("attention");
    values.checkF32Rows("attention");
    require(
        keys.shape[0] == shape[0]
            && keys.shape[1] == values.shape[1]
            && keys.shape[2] == values.shape[2]
            && shape[2] % keys.shape[2] == 0
            && shape[3] % keys.shape[3] == 0
            && values.shape[3] == keys.shape[3],
        () ->
            "attention: queries %s, keys %s and values %s do not fit each other"
                .formatted(describe(), keys.describe(), values.describe()));
    require(
        mask == null
            || (mask.type == TensorType.F16
                && mask.isContiguous()
                && mask.shape[0] == keys.shape[1]
                && mask.shape[1] == shape[1]
                && shape[2] % mask.shape[2] == 0
                && shape[3] % mask.shape[3] == 0),
        () ->
            "attention: the mask must be contiguous f16[%d, %d, 1 or %d, 1 or %d], found %s"
                .formatted(keys.shape[1], shape[1], shape[2], shape[3], describe(mask)));
    return node(
        ggml_h.ggml_flash_attn_ext(
            context.handle(),
            handle,
            keys.handle,
            values.handle,
            mask == null ? MemorySegment.NULL : mask.handle,
            scale,
            0f,
            0f));
  }

  /**
   * Marks an {@link #attention} as one that an accelerator is to take, if there is one: its kernels
   * multiply faster than ggml's, and of keys that a mask hides from all of some queries it computes
   * nothing. Returns this tensor.
   *
   * @param rounded whether queries, keys, values and weights may be rounded to BF16, where the
   *     processor multiplies that
   */
  public Tensor accelerated(boolean rounded) {
    MemorySegment params = ggml_tensor.op_params(handle.reinterpret(ggml_tensor.sizeof()));
    params.setAtIndex(
        ValueLayout.JAVA_INT,
        AccelAttention.MARK_AT,
        rounded ? AccelAttention.ROUNDED : AccelAttention.EXACT);
    return this;
  }

  private static String describe(@Nullable Tensor tensor) {
    return tensor == null ? "none" : tensor.describe();
  }

  // ---- shape

  /** The same elements in another shape of up to four sizes. */
  public Tensor reshape(long... sizes) {
    long[] full = fullShape("reshape", sizes);
    require(
        isContiguous(),
        () ->
            "reshape: expected a contiguous tensor, found "
                + describe()
                + "; call contiguous() first");
    require(
        full[0] * full[1] * full[2] * full[3] == nElements(),
        () ->
            "reshape: %s has not the number of elements of %s"
                .formatted(describe(), Arrays.toString(sizes)));
    return node(
        ggml_h.ggml_reshape_4d(context.handle(), handle, full[0], full[1], full[2], full[3]));
  }

  /** Moves dimension {@code i} to place {@code axes[i]}; nothing is copied. */
  public Tensor permute(int a0, int a1, int a2, int a3) {
    require(
        ((1 << a0) | (1 << a1) | (1 << a2) | (1 << a3)) == 0b1111,
        () ->
            "permute: expected the axes 0 to 3 in some order, found %d, %d, %d, %d"
                .formatted(a0, a1, a2, a3));
    return node(ggml_h.ggml_permute(context.handle(), handle, a0, a1, a2, a3));
  }

  /** The first two dimensions exchanged; nothing is copied. */
  public Tensor transpose() {
    return permute(1, 0, 2, 3);
  }

  /** A contiguous copy, or this tensor if it is contiguous already. */
  public Tensor contiguous() {
    return hasPlainStrides() ? this : node(ggml_h.ggml_cont(context.handle(), handle));
  }

  /** A contiguous copy, for which a place in memory is looked for when it is computed. */
  public Tensor copy() {
    return node(ggml_h.ggml_cont(context.handle(), handle));
  }

  /**
   * A part of this tensor: {@code sizes} elements from {@code start} on, by dimension; nothing is
   * copied.
   */
  public Tensor slice(long[] start, long... sizes) {
    long[] full = fullShape("slice", sizes);
    long offset = 0;
    for (int i = 0; i < MAX_DIMS; i++) {
      long first = i < start.length ? start[i] : 0;
      int dimension = i;
      require(
          first >= 0 && first <= shape[i] - full[i],
          () ->
              "slice: %s from %s leaves %s in dimension %d"
                  .formatted(
                      Arrays.toString(sizes), Arrays.toString(start), describe(), dimension));
      require(
          i > 0 || (first % type.blockSize() == 0 && full[0] % type.blockSize() == 0),
          () -> "slice: a row of " + describe() + " can be cut only between blocks");
      offset += i == 0 ? first / type.blockSize() * stride[0] : first * stride[i];
    }
    return node(
        ggml_h.ggml_view_4d(
            context.handle(),
            handle,
            full[0],
            full[1],
            full[2],
            full[3],
            stride[1],
            stride[2],
            stride[3],
            offset));
  }

  /** This tensor followed by {@code other} along a dimension. */
  public Tensor concat(Tensor other, int dimension) {
    boolean fits = dimension >= 0 && dimension < MAX_DIMS && type == other.type;
    for (int i = 0; i < MAX_DIMS; i++) {
      fits &= i == dimension || shape[i] == other.shape[i];
    }
    boolean ok = fits;
    require(
        ok,
        () ->
            "concat: %s and %s cannot be joined along dimension %d"
                .formatted(describe(), other.describe(), dimension));
    return node(ggml_h.ggml_concat(context.handle(), handle, other.handle, dimension));
  }

  /** Repeated to a shape whose sizes are multiples of this one's. */
  public Tensor repeat(long... sizes) {
    long[] full = fullShape("repeat", sizes);
    for (int i = 0; i < MAX_DIMS; i++) {
      int d = i;
      require(
          full[i] % shape[i] == 0,
          () ->
              "repeat: %s cannot be repeated to %s (dimension %d)"
                  .formatted(describe(), Arrays.toString(sizes), d));
    }
    return node(
        ggml_h.ggml_repeat_4d(context.handle(), handle, full[0], full[1], full[2], full[3]));
  }

  /**
   * Rows by number.
   *
   * @param indices {@code [n]} from {@link GraphBuilder#indices}, whose limit is the number of rows
   * @return {@code [n0, n]} in F32
   */
  public Tensor getRows(Tensor indices) {
    require(
        indices.type == TensorType.I32
            && shape[2] == indices.shape[1]
            && shape[3] == indices.shape[2]
            && indices.shape[3] == 1,
        () -> "getRows: %s cannot select from %s".formatted(indices.describe(), describe()));
    require(
        indices.context.indexLimit(indices) <= shape[1] && hasContiguousRows(),
        () ->
            "getRows: %s may hold numbers up to %d, but %s has %d rows"
                .formatted(
                    indices.describe(),
                    indices.context.indexLimit(indices) - 1,
                    describe(),
                    shape[1]));
    return node(ggml_h.ggml_get_rows(context.handle(), handle, indices.handle));
  }

  /**
   * This weight as a node of the graph that {@code activation} belongs to, for the few operations
   * that start from a weight.
   */
  public Tensor inGraphOf(Tensor activation) {
    return new Tensor(activation.context, handle);
  }

  /** The same values as F32: a copy, or this tensor if it is F32 already. */
  public Tensor toF32() {
    return type == TensorType.F32
        ? this
        : node(ggml_h.ggml_cast(context.handle(), handle, TensorType.F32.id()));
  }

  /** The same values rounded to F16: a copy, or this tensor if it is F16 already. */
  public Tensor toF16() {
    return type == TensorType.F16
        ? this
        : node(ggml_h.ggml_cast(context.handle(), handle, TensorType.F16.id()));
  }

  /** The same values rounded to BF16: a copy, or this tensor if it is BF16 already. */
  public Tensor toBf16() {
    return type == TensorType.BF16
        ? this
        : node(ggml_h.ggml_cast(context.handle(), handle, TensorType.BF16.id()));
  }

  // ---- storing

  /**
   * Writes the values into {@code destination}, which is usually a part of one of {@link
   * PersistentTensors}.
   *
   * @param destination of this shape, in F32 or F16
   * @return the destination after that. What has to read the new values must start from here: ggml
   *     knows no other order.
   */
  public Tensor copyTo(Tensor destination) {
    checkStored("copyTo", destination);
    require(
        Arrays.equals(shape, destination.shape),
        () -> "copyTo: %s cannot be written into %s".formatted(describe(), destination.describe()));
    return node(ggml_h.ggml_cpy(context.handle(), handle, destination.handle));
  }

  /**
   * Writes every row to a row of {@code destination} by number; the other rows stay.
   *
   * @param destination [n0, any, n2, n3] in F32 or F16, for this tensor [n0, n1, n2, n3]
   * @param indices [n1] from {@link GraphBuilder#indices}, with a limit of at most the number of
   *     rows of the destination
   * @return the destination after that, as {@link #copyTo}
   */
  public Tensor copyRowsTo(Tensor destination, Tensor indices) {
    checkStored("copyRowsTo", destination);
    require(
        destination.shape[0] == shape[0]
            && destination.shape[2] == shape[2]
            && destination.shape[3] == shape[3]
            && indices.type == TensorType.I32
            && indices.shape[0] == shape[1]
            && indices.nElements() == shape[1],
        () ->
            "copyRowsTo: rows of %s cannot be written into %s at %s"
                .formatted(describe(), destination.describe(), indices.describe()));
    require(
        indices.context.indexLimit(indices) <= destination.shape[1],
        () ->
            "copyRowsTo: %s may hold numbers up to %d, but %s has %d rows"
                .formatted(
                    indices.describe(),
                    indices.context.indexLimit(indices) - 1,
                    destination.describe(),
                    destination.shape[1]));
    return node(ggml_h.ggml_set_rows(context.handle(), destination.handle, handle, indices.handle));
  }

  private void checkStored(String op, Tensor destination) {
    checkF32Rows(op);
    require(
        (destination.type == TensorType.F32 || destination.type == TensorType.F16)
            && destination.stride[0] == destination.type.blockBytes(),
        () ->
            "%s: expected a destination of F32 or F16 with contiguous rows, found %s"
                .formatted(op, destination.describe()));
  }

  // ---- more of shape

  /**
   * Rows that go on with zeros.
   *
   * @param size elements of a row afterwards, at least as many as now
   */
  public Tensor padRows(long size) {
    checkF32Rows("padRows");
    require(
        size >= shape[0],
        () -> "padRows: rows of %s cannot be cut to %d".formatted(describe(), size));
    return size == shape[0]
        ? this
        : node(
            ggml_h.ggml_pad(context.handle(), handle, Math.toIntExact(size - shape[0]), 0, 0, 0));
  }

  /**
   * Puts this node and all that it needs into the graph before all that is made later. ggml's own
   * order begins with what stands first in an operation, which would widen all weights before the
   * first layer. Returns this tensor.
   */
  public Tensor computeFirst() {
    context.putFirst(this);
    return this;
  }

  /** Keeps this node's value after the computation, so that it can be read. Returns this tensor. */
  public Tensor output() {
    ggml_h.ggml_set_output(handle);
    return this;
  }
}
