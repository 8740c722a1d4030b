package dev.ocellus.ggml;

import dev.ocellus.accel.ConvertedProduct;
import dev.ocellus.accel.Product;
import dev.ocellus.accel.Product.Matrices;
import dev.ocellus.accel.RowConversion;
import dev.ocellus.accel.WeightType;
import dev.ocellus.ffi.ggml_h;
import dev.ocellus.ffi.ggml_tensor;
import dev.ocellus.gguf.GgufTensor;
import dev.ocellus.gguf.TensorType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * Reads ggml's tensors by their addresses, where nothing may be allocated: ggml asks about every
 * node of every graph.
 */
final class AccelNode {
  /** Hands over small products too, so that tests with small models see the libraries at work. */
  static final boolean EVERYTHING = Boolean.getBoolean("ocellus.accel.everything");

  /** From so many rows on, a library is faster than ggml's kernels. */
  static final int MIN_ROWS = EVERYTHING ? 1 : 32;

  private static final int MIN_COLUMNS = EVERYTHING ? 1 : 16;

  /**
   * From so many multiplications on, the time that is saved is more than what handing over costs:
   * some 50 microseconds, in which a core does 5 million of them.
   */
  static final long MIN_WORK = EVERYTHING ? 1 : 8L << 20;

  /** The same for products of items, each of which must be computed alike alone and with others. */
  private static final int MIN_ITEM_ROWS = EVERYTHING ? 2 : 8;

  /** OpenBLAS has kernels of their own for products below a million multiplications. */
  private static final long MIN_PRODUCT = 1L << 20;

  private static final long MIN_ITEM_WORK = EVERYTHING ? 1 : 2L << 20;

  /**
   * From so many multiplications on, a head's product is taken: all heads are computed in one call,
   * each as a whole, so that its kernel is the same in every batch.
   */
  private static final long MIN_HEAD_PRODUCT = 1L << 16;

  private static final long MIN_HEADS_WORK = EVERYTHING ? 1 : 1L << 20;

  /**
   * Where {@link Tensor#ofItems} writes how many rows an item has, and how many items there are.
   */
  static final int ITEM_ROWS = 2;

  static final int ITEMS = 3;

  /** Where {@link Tensor#mulMatRounded} writes that both operands may be rounded. */
  static final int ROUNDED = 4;

  /** Elements of an item from which on handing GELU over costs less than it gains. */
  static final long MIN_ELEMENTS = EVERYTHING ? 1 : 1L << 13;

  private static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);
  private static final long TYPE = ggml_tensor.type$offset();
  private static final long NE = ggml_tensor.ne$offset();
  private static final long NB = ggml_tensor.nb$offset();
  private static final long OP = ggml_tensor.op$offset();
  private static final long OP_PARAMS = ggml_tensor.op_params$offset();
  private static final long FLAGS = ggml_tensor.flags$offset();
  private static final long SRC = ggml_tensor.src$offset();
  private static final long BUFFER = ggml_tensor.buffer$offset();
  private static final long DATA = ggml_tensor.data$offset();
  private static final int MUL_MAT = ggml_h.GGML_OP_MUL_MAT();
  private static final int UNARY = numbered("UNARY", ggml_h::ggml_op_name);
  private static final int GELU_ERF = numbered("GELU_ERF", ggml_h::ggml_unary_op_name);
  private static final int PREC_F32 = ggml_h.GGML_PREC_F32();
  private static final int F32 = TensorType.F32.id();
  private static final int F16 = TensorType.F16.id();
  private static final int BF16 = TensorType.BF16.id();

  /** {@code GGML_TENSOR_FLAG_COMPUTE} of ggml.h. */
  private static final int FLAG_COMPUTE = 16;

  private AccelNode() {}

  /** The number of an operation that ggml has, by its name. */
  static int numbered(String wanted, IntFunction<MemorySegment> names) {
    int number = 0;
    while (!names.apply(number).getString(0).equals(wanted)) {
      number++;
    }
    return number;
  }

  static int getInt(long address) {
    return MEMORY.get(ValueLayout.JAVA_INT, address);
  }

  private static long getLong(long address) {
    return MEMORY.get(ValueLayout.JAVA_LONG, address);
  }

  static long ne(long tensor, int i) {
    return getLong(tensor + NE + 8L * i);
  }

  static long nb(long tensor, int i) {
    return getLong(tensor + NB + 8L * i);
  }

  static boolean isF32(long tensor) {
    return getInt(tensor + TYPE) == F32;
  }

  static boolean isF16(long tensor) {
    return getInt(tensor + TYPE) == F16;
  }

  static int opOf(long node) {
    return getInt(node + OP);
  }

  /** Which function of one operand a node is; -1 if it is none. */
  static int unaryOf(long node) {
    return opOf(node) == UNARY ? getInt(node + OP_PARAMS) : -1;
  }

  static int parameter(long node, int i) {
    return getInt(node + OP_PARAMS + 4L * i);
  }

  /** An operand. */
  static long sourceOf(long node, int i) {
    return getLong(node + SRC + 8L * i);
  }

  static long dataOf(long tensor) {
    return getLong(tensor + DATA);
  }

  /** Bytes of contiguous floats. */
  static long bytes(long tensor) {
    return 4 * elements(tensor);
  }

  static boolean isProduct(long node) {
    return getInt(node + OP) == MUL_MAT;
  }

  /** Whether a node is to be computed; ggml clears this for what nothing needs. */
  static boolean isWanted(long node) {
    return (getInt(node + FLAGS) & FLAG_COMPUTE) != 0;
  }

  /** Whether a node is GELU by the error function. */
  static boolean isGelu(long node) {
    return unaryOf(node) == GELU_ERF;
  }

  static long source(long node) {
    return getLong(getLong(node + SRC) + DATA);
  }

  static long target(long node) {
    return getLong(node + DATA);
  }

  static long elements(long node) {
    return ne(node, 0) * ne(node, 1) * count(node);
  }

  /** Whether it is GELU of items of which each has enough elements, one after the other. */
  private static boolean isTakenGelu(long node) {
    int items = getInt(node + OP_PARAMS + 4L * ITEMS);
    return items > 0
        && elements(node) / items >= MIN_ELEMENTS
        && isContiguous(node)
        && isContiguous(getLong(node + SRC));
  }

  static boolean isContiguous(long tensor) {
    long size = 4;
    boolean contiguous = getInt(tensor + TYPE) == F32;
    for (int i = 0; i < 4; i++) {
      contiguous &= nb(tensor, i) == size;
      size *= ne(tensor, i);
    }
    return contiguous;
  }

  /**
   * Whether a node is a large product, attention, an operation on maps, or GELU, that is taken as
   * it lies.
   *
   * @param quantized whether products with quantized weights are taken
   */
  static boolean isTaken(long node, boolean quantized) {
    if (AccelLayer.isOne(node)
        || AccelAttention.isOne(node)
        || AccelActivation.isOne(node)
        || AccelRotation.isOne(node)) {
      return true;
    }
    if (isGelu(node)) {
      return isTakenGelu(node);
    }
    if (AccelMaps.kindOf(node) != AccelMaps.Kind.NONE) {
      return true;
    }
    if (!isProduct(node) || getInt(node + OP_PARAMS + 4) != 0) { // with a hint for ggml's kernels
      return false;
    }
    long w = getLong(node + SRC);
    long x = getLong(node + SRC + 8);
    if (getInt(x + TYPE) != F32
        || getInt(node + TYPE) != F32
        || !hasRows(x, 4)
        || !hasRows(node, 4)) {
      return false;
    }
    return weightType(getInt(w + TYPE)) == null
        ? quantized && isTakenQuantized(node, w)
        : isTaken(node, w) && hasRows(w, sizeOf(getInt(w + TYPE))) && (!quantized || isPlain(w));
  }

  /** Whether a product of quantized weights is taken: one matrix, and rows that may be rounded. */
  private static boolean isTakenQuantized(long node, long w) {
    return getInt(node + OP_PARAMS) != PREC_F32
        && getInt(node + OP_PARAMS + 4L * ITEMS) == 0
        && count(node) == 1
        && ne(node, 1) >= StoredWeights.minRows()
        && areSizesTaken(ne(node, 0), ne(w, 0), ne(node, 1), 1)
        && StoredWeights.find(w) != null;
  }

  /** Whether a tensor is what a file says. */
  static boolean isOfShape(long tensor, GgufTensor stored) {
    boolean same = getInt(tensor + TYPE) == stored.type().id();
    for (int i = 0; i < 4; i++) {
      same &= ne(tensor, i) == stored.dim(i);
    }
    return same;
  }

  /** Whether weights lie where every backend can read them, as they are; not in AMX's layout. */
  private static boolean isPlain(long w) {
    long buffer = getLong(w + BUFFER);
    return buffer == 0 || ggml_h.ggml_backend_buffer_is_host(MemorySegment.ofAddress(buffer));
  }

  private static boolean isTaken(long node, long w) {
    WeightType type = weightType(getInt(w + TYPE));
    int items = getInt(node + OP_PARAMS + 4L * ITEMS);
    if (items == 0) {
      return type != null && areSizesTaken(ne(node, 0), ne(w, 0), ne(node, 1), count(node));
    }
    int rows = getInt(node + OP_PARAMS + 4L * ITEM_ROWS);
    double products = products(node, rows) / items;
    return ne(node, 1) <= Integer.MAX_VALUE
        && (isTakenByItem(type, ne(node, 0), ne(w, 0), rows, products)
            || ne(w, 2) > 1 && areHeadsTaken(type, ne(node, 0), ne(w, 0), rows, products));
  }

  /** How many products of so many rows a node has: a long one may be taken in parts. */
  private static double products(long node, int rows) {
    return Math.max(1.0, (double) ne(node, 1) / rows) * count(node);
  }

  /**
   * Whether a product of items is taken, by the size of one of them alone.
   *
   * @param rows of an item
   * @param products that an item has, such as one for each head
   */
  static boolean isTakenByItem(
      @Nullable WeightType type, long n, long k, long rows, double products) {
    double product = (double) rows * n * k;
    return isPossible(type, n, k, rows)
        && (EVERYTHING || product >= MIN_PRODUCT)
        && product * products >= MIN_ITEM_WORK;
  }

  /** The same of an item's products with matrices of their own, such as keys of heads. */
  private static boolean areHeadsTaken(
      @Nullable WeightType type, long n, long k, long rows, double products) {
    double product = (double) rows * n * k;
    return isPossible(type, n, k, rows)
        && type == WeightType.F32
        && product >= MIN_HEAD_PRODUCT
        && product * products >= MIN_HEADS_WORK;
  }

  private static boolean isPossible(@Nullable WeightType type, long n, long k, long rows) {
    return type != null
        && rows >= MIN_ITEM_ROWS
        && n >= MIN_COLUMNS
        && k >= MIN_COLUMNS
        && n <= Integer.MAX_VALUE
        && k <= Integer.MAX_VALUE;
  }

  /**
   * Whether products of these sizes are taken.
   *
   * @param n columns of the result
   * @param k columns of the operands
   * @param m rows
   */
  private static boolean areSizesTaken(long n, long k, long m, long count) {
    return m >= MIN_ROWS
        && n >= MIN_COLUMNS
        && k >= MIN_COLUMNS
        && n <= Integer.MAX_VALUE
        && m <= Integer.MAX_VALUE
        && k <= Integer.MAX_VALUE
        && (double) m * n * k * count >= MIN_WORK;
  }

  static long count(long node) {
    return ne(node, 2) * ne(node, 3);
  }

  static @Nullable WeightType weightType(int type) {
    return type == F32
        ? WeightType.F32
        : type == F16 ? WeightType.F16 : type == BF16 ? WeightType.BF16 : null;
  }

  private static int sizeOf(int type) {
    return type == F32 ? 4 : 2;
  }

  /** Whether rows lie in one piece, none over another, with a distance that a library can take. */
  static boolean hasRows(long tensor, int size) {
    long row = nb(tensor, 1);
    return nb(tensor, 0) == size
        && row % size == 0
        && row / size >= ne(tensor, 0)
        && row / size <= Integer.MAX_VALUE;
  }

  /** The product with floats that a node is; {@link #isTaken} must be true. */
  static Product product(long node) {
    long w = sourceOf(node, 0);
    WeightType type = weightType(getInt(w + TYPE));
    if (type == null) {
      throw new IllegalStateException("not a product that is taken");
    }
    int n2 = (int) ne(node, 2);
    int n3 = (int) ne(node, 3);
    return new Product(
        type,
        getInt(node + OP_PARAMS) != PREC_F32,
        (int) ne(node, 1),
        (int) ne(node, 0),
        (int) ne(w, 0),
        matrices(w, n2 / (int) ne(w, 2), n3 / (int) ne(w, 3)),
        matrices(sourceOf(node, 1), 1, 1),
        matrices(node, 1, 1),
        n2,
        n3);
  }

  /**
   * What the weights of a product are in their file, where they are quantized, or floats that may
   * be rounded; null for others.
   */
  static @Nullable FileMatrix fileMatrix(long node) {
    long w = sourceOf(node, 0);
    boolean floats = weightType(getInt(w + TYPE)) != null;
    if (floats) {
      return parameter(node, ROUNDED) == 0 ? null : FileMatrix.find(w);
    }
    return StoredWeights.find(w);
  }

  /** The product that a node is with weights that are converted. */
  static ConvertedProduct product(long node, FileMatrix weight, RowConversion toF32) {
    return new ConvertedProduct(
        toF32,
        (int) ne(node, 1),
        (int) ne(node, 0),
        (int) ne(sourceOf(node, 0), 0),
        Matrices.one(weight.address(), weight.rowBytes()),
        matrices(sourceOf(node, 1), 1, 1),
        matrices(node, 1, 1));
  }

  /**
   * The matrices of a tensor.
   *
   * @param repeat2 how many in a row along the third axis are the same one
   * @param repeat3 the same along the fourth
   */
  static Matrices matrices(long tensor, int repeat2, int repeat3) {
    return new Matrices(
        dataOf(tensor), nb(tensor, 1), nb(tensor, 2), nb(tensor, 3), repeat2, repeat3);
  }
}
