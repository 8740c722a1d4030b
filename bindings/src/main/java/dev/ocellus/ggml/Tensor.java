package dev.ocellus.ggml;

import static dev.ocellus.ggml.Checks.require;

import dev.ocellus.ffi.ggml_h;
import dev.ocellus.ffi.ggml_tensor;
import dev.ocellus.gguf.TensorType;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Locale;

/**
 * A node of a graph, or a weight.
 *
 * <p>Operations are methods on the activation and add a node to the graph that it belongs to;
 * weights are only arguments. Shapes are in ggml order, innermost first, and are checked here
 * before ggml sees them. Broadcasting is ggml's: the argument is repeated along every dimension in
 * which the receiver's size is a multiple of its own.
 */
public final class Tensor {
  private static final int MAX_DIMS = 4;

  private final TensorContext context;
  private final MemorySegment handle;
  private final TensorType type;
  private final long[] shape = new long[MAX_DIMS];
  private final long[] stride = new long[MAX_DIMS];

  Tensor(TensorContext context, MemorySegment handle) {
    this.context = context;
    this.handle = handle.reinterpret(ggml_tensor.sizeof(), context.arena(), null);
    this.type =
        TensorType.ofId(ggml_tensor.type(this.handle))
            .orElseThrow(() -> new GgmlException("ggml made a tensor of an unknown type"));
    for (int i = 0; i < MAX_DIMS; i++) {
      shape[i] = ggml_tensor.ne(this.handle, i);
      stride[i] = ggml_tensor.nb(this.handle, i);
    }
  }

  MemorySegment handle() {
    return handle;
  }

  public TensorType type() {
    return type;
  }

  /** Size along a dimension, 0 being the innermost; 1 beyond the last. */
  public long size(int dimension) {
    return shape[dimension];
  }

  /** The four sizes, innermost first. */
  public long[] shape() {
    return shape.clone();
  }

  /** Number of elements. */
  public long nElements() {
    return shape[0] * shape[1] * shape[2] * shape[3];
  }

  /** Size of one element's row in bytes along dimension {@code d}, as ggml counts it. */
  public long stride(int dimension) {
    return stride[dimension];
  }

  /** The name given by {@link #named}, or ggml's own. */
  public String name() {
    return ggml_tensor.name(handle).getString(0);
  }

  /** Marks an intermediate so that tests can compare it with a reference. Returns this tensor. */
  public Tensor named(String name) {
    context.setName(this, name);
    return this;
  }

  /** Whether elements follow each other in memory without gaps, in the order of the shape. */
  public boolean isContiguous() {
    long expected = type.blockBytes();
    for (int i = 0; i < MAX_DIMS; i++) {
      if (shape[i] != 1 && stride[i] != expected) {
        return false;
      }
      expected *= i == 0 ? shape[0] / type.blockSize() : shape[i];
    }
    return true;
  }

  /**
   * Contiguous, with the strides that go with it in dimensions of size 1 too: products look at
   * those of a matrix with a single column.
   */
  private boolean hasPlainStrides() {
    long expected = type.blockBytes();
    for (int i = 0; i < MAX_DIMS; i++) {
      if (stride[i] != expected) {
        return false;
      }
      expected *= i == 0 ? shape[0] / type.blockSize() : shape[i];
    }
    return true;
  }

  private boolean hasContiguousRows() {
    return shape[0] == type.blockSize() || stride[0] == type.blockBytes();
  }

  // ---- arithmetic

  /** Sum, with {@code other} broadcast. */
  public Tensor add(Tensor other) {
    checkBroadcast("add", other);
    return node(ggml_h.ggml_add(context.handle(), handle, other.handle));
  }

  /** Difference, with {@code other} broadcast. */
  public Tensor sub(Tensor other) {
    checkBroadcast("sub", other);
    return node(ggml_h.ggml_sub(context.handle(), handle, other.handle));
  }

  /** Product by element, with {@code other} broadcast. */
  public Tensor mul(Tensor other) {
    checkBroadcast("mul", other);
    return node(ggml_h.ggml_mul(context.handle(), handle, other.handle));
  }

  /** Quotient by element, with {@code other} broadcast. */
  public Tensor div(Tensor other) {
    checkBroadcast("div", other);
    return node(ggml_h.ggml_div(context.handle(), handle, other.handle));
  }

  /** Product with a number. */
  public Tensor scale(float factor) {
    checkF32Rows("scale");
    return node(ggml_h.ggml_scale(context.handle(), handle, factor));
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

  // ---- activations

  /** {@code x · sigmoid(x)}. */
  public Tensor silu() {
    checkF32Rows("silu");
    return node(ggml_h.ggml_silu(context.handle(), handle));
  }

  /** {@code 1 / (1 + exp(-x))}. */
  public Tensor sigmoid() {
    checkF32Rows("sigmoid");
    return node(ggml_h.ggml_sigmoid(context.handle(), handle));
  }

  /** {@code max(x, 0)}. */
  public Tensor relu() {
    checkF32Rows("relu");
    return node(ggml_h.ggml_relu(context.handle(), handle));
  }

  public Tensor tanh() {
    checkF32Rows("tanh");
    return node(ggml_h.ggml_tanh(context.handle(), handle));
  }

  /** GELU by the error function, in F32: what {@code torch.nn.GELU()} computes. */
  public Tensor geluErf() {
    checkF32Rows("geluErf");
    return node(ggml_h.ggml_gelu_erf(context.handle(), handle));
  }

  /**
   * {@code x · sigmoid(1.702 x)}, CLIP's activation, in F32.
   *
   * <p>ggml's own {@code gelu_quick} reads a table of F16 values on the CPU, which costs about 1e-3
   * in the embeddings; the same from its F32 {@code silu} does not.
   */
  public Tensor geluQuick() {
    return scale(1.702f).silu().scale(1 / 1.702f);
  }

  /**
   * GELU by the hyperbolic tangent, in F32: {@code gelu_pytorch_tanh}. It is {@code x · sigmoid(2
   * sqrt(2/π) (x + 0.044715 x³))}; ggml's own {@code gelu} reads an F16 table on the CPU.
   */
  public Tensor geluTanh() {
    checkF32Rows("geluTanh");
    float twice = (float) (2 * Math.sqrt(2 / Math.PI));
    // x · sigmoid(x u) = silu(x u) / u, and ggml's silu is vectorized where its sigmoid is not
    Tensor u =
        node(ggml_h.ggml_scale_bias(context.handle(), mul(this).handle, twice * 0.044715f, twice));
    return mul(u).silu().div(u);
  }

  // ---- normalization

  /** Rows to mean 0 and variance 1: {@code (x - mean) / sqrt(var + eps)}. */
  public Tensor norm(float eps) {
    checkF32Rows("norm");
    require(eps >= 0, () -> "norm: eps must not be negative, found " + eps);
    return node(ggml_h.ggml_norm(context.handle(), handle, eps));
  }

  /** Rows to mean square 1: {@code x / sqrt(mean(x²) + eps)}. */
  public Tensor rmsNorm(float eps) {
    checkF32Rows("rmsNorm");
    require(eps >= 0, () -> "rmsNorm: eps must not be negative, found " + eps);
    return node(ggml_h.ggml_rms_norm(context.handle(), handle, eps));
  }

  /** {@code softmax(scale · x)} along the rows. */
  public Tensor softMax(float scale) {
    checkF32Rows("softMax");
    require(isContiguous(), () -> "softMax: expected a contiguous tensor, found " + describe());
    return node(ggml_h.ggml_soft_max_ext(context.handle(), handle, MemorySegment.NULL, scale, 0f));
  }

  /**
   * {@code softmax(scale · x + mask)} along the rows.
   *
   * @param mask {@code [n0, at least n1, …]} in F32 or F16, contiguous; outer sizes are repeated
   */
  public Tensor softMax(float scale, Tensor mask) {
    checkF32Rows("softMax");
    require(
        isContiguous()
            && mask.isContiguous()
            && (mask.type == TensorType.F32 || mask.type == TensorType.F16)
            && mask.shape[0] == shape[0]
            && mask.shape[1] >= shape[1]
            && shape[2] % mask.shape[2] == 0
            && shape[3] % mask.shape[3] == 0,
        () -> "softMax: the mask %s does not fit %s".formatted(mask.describe(), describe()));
    return node(ggml_h.ggml_soft_max_ext(context.handle(), handle, mask.handle, scale, 0f));
  }

  /**
   * Attention in one kernel: {@code softmax(scale · keys · queries) · values}, without ever holding
   * the whole matrix of weights.
   *
   * <p>On a CPU it is F32 throughout, as keys and values are F32 here. Kernels of other devices may
   * round them to F16 first.
   *
   * @param keys [dHead, nKeys, nHead, batch], for this tensor [dHead, nQueries, nHead, batch]
   * @param values [dHead of values, nKeys, nHead, batch]
   * @return [dHead of values, nHead, nQueries, batch], contiguous
   */
  public Tensor attention(Tensor keys, Tensor values, float scale) {
    checkF32Rows("attention");
    keys.checkF32Rows("attention");
    values.checkF32Rows("attention");
    require(
        keys.shape[0] == shape[0]
            && keys.shape[1] == values.shape[1]
            && keys.shape[2] == values.shape[2]
            && shape[2] % keys.shape[2] == 0
            && keys.shape[3] == shape[3]
            && values.shape[3] == shape[3],
        () ->
            "attention: queries %s, keys %s and values %s do not fit each other"
                .formatted(describe(), keys.describe(), values.describe()));
    return node(
        ggml_h.ggml_flash_attn_ext(
            context.handle(),
            handle,
            keys.handle,
            values.handle,
            MemorySegment.NULL,
            scale,
            0f,
            0f));
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
        indices.type == TensorType.I32 && shape[2] == indices.shape[1] && indices.shape[3] == 1,
        () -> "getRows: %s cannot select from %s".formatted(indices.describe(), describe()));
    require(
        context.indexLimit(indices) <= shape[1] && hasContiguousRows(),
        () ->
            "getRows: %s may hold numbers up to %d, but %s has %d rows"
                .formatted(
                    indices.describe(), context.indexLimit(indices) - 1, describe(), shape[1]));
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

  // ---- helpers

  private Tensor node(MemorySegment result) {
    return context.node(result);
  }

  private void checkF32Rows(String op) {
    require(
        type == TensorType.F32 && hasContiguousRows(),
        () -> op + ": expected F32 with contiguous rows, found " + describe());
  }

  private void checkBroadcast(String op, Tensor other) {
    boolean fits =
        type == TensorType.F32
            && other.type == TensorType.F32
            && hasContiguousRows()
            && other.hasContiguousRows();
    for (int i = 0; i < MAX_DIMS; i++) {
      fits &= shape[i] % other.shape[i] == 0;
    }
    boolean ok = fits;
    require(
        ok,
        () ->
            "%s: %s cannot be broadcast to %s; both must be F32 with contiguous rows and each size a divisor"
                .formatted(op, other.describe(), describe()));
  }

  private static long[] fullShape(String op, long[] sizes) {
    require(
        sizes.length >= 1 && sizes.length <= MAX_DIMS && Arrays.stream(sizes).allMatch(s -> s > 0),
        () -> op + ": expected one to four positive sizes, found " + Arrays.toString(sizes));
    long[] full = {1, 1, 1, 1};
    System.arraycopy(sizes, 0, full, 0, sizes.length);
    return full;
  }

  /** Name, type and shape, for messages. */
  public String describe() {
    int n = MAX_DIMS;
    while (n > 1 && shape[n - 1] == 1) {
      n--;
    }
    String name = name();
    return (name.isEmpty() ? "" : name + " ")
        + type.name().toLowerCase(Locale.ROOT)
        + Arrays.toString(Arrays.copyOf(shape, n));
  }

  @Override
  public String toString() {
    return describe();
  }
}
