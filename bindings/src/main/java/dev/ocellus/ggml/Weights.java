package dev.ocellus.ggml;

import dev.ocellus.compute.MatrixPrecision;
import dev.ocellus.gguf.TensorType;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The weights of a model under a name prefix, such as {@code v.blk.3.}. Getting a weight checks
 * that it is there and has the shape that the architecture expects.
 */
public final class Weights {
  private final WeightStore store;
  private final String prefix;
  private final boolean fewRows;

  Weights(WeightStore store, String prefix) {
    this(store, prefix, false);
  }

  private Weights(WeightStore store, String prefix, boolean fewRows) {
    this.store = store;
    this.prefix = prefix;
    this.fewRows = fewRows;
  }

  /**
   * The same for products of few rows, such as those of one token at a time: where they are to be
   * computed in F32, matrices of F16 and BF16 are widened while they are loaded, and not before
   * each product, which would take longer than the product itself.
   */
  public Weights forFewRows() {
    return new Weights(store, prefix, true);
  }

  /** The weights whose names go on with {@code name} and a dot. */
  public Weights at(String name) {
    return new Weights(store, prefix + name + ".", fewRows);
  }

  /** The weights of layer {@code index}. */
  public Weights at(int index) {
    return at(Integer.toString(index));
  }

  /** Whether there is a weight of this name. */
  public boolean has(String name) {
    return store.file().findTensor(prefix + name).isPresent();
  }

  /** The type of a weight that is there. */
  public TensorType type(String name) {
    return store.require(prefix + name).type();
  }

  /** The sizes of a weight that is there, innermost first, without trailing ones. */
  public long[] shape(String name) {
    return WeightStore.trimmed(store.require(prefix + name).shape());
  }

  /**
   * Rows of a matrix that is there, which is how many numbers a linear layer gives out; 1 for a
   * vector. For sizes that no metadata say.
   *
   * @throws MissingWeightException if there is none of this name
   * @throws WeightShapeException if there are more rows than any model has
   */
  public int outputs(String name) {
    long[] shape = shape(name);
    long rows = shape.length > 1 ? shape[1] : 1;
    if (rows > Integer.MAX_VALUE) {
      throw new WeightShapeException(
          "%s: %s: expected at most %d rows, found %d"
              .formatted(store.file().path(), prefix + name, Integer.MAX_VALUE, rows));
    }
    return (int) rows;
  }

  /**
   * A weight as it is stored.
   *
   * @param shape sizes in ggml order; trailing ones may be left out
   * @throws MissingWeightException if there is none of this name
   * @throws WeightShapeException if its shape is another one
   */
  public Tensor get(String name, long... shape) {
    return store.bind(prefix + name, false, shape);
  }

  /**
   * A matrix that activations are multiplied with, in the type that the store's {@link
   * MatrixPrecision} asks for.
   *
   * @param nIn elements of a row
   * @param nOut rows
   */
  public Tensor matrix(String name, long nIn, long nOut) {
    boolean widens = fewRows && widensMatrices() && type(name).isHalf();
    return widens ? f32(name, nIn, nOut) : store.bindMatrix(prefix + name, nIn, nOut);
  }

  /** Whether products with a {@link #matrix} of F16 or BF16 are to be computed in F32. */
  public boolean widensMatrices() {
    return store.widensMatrices();
  }

  /** Whether what is multiplied may be rounded to BF16, as products with a {@link #matrix} are. */
  public boolean roundsToBf16() {
    return store.roundsToBf16();
  }

  /** Whether an accelerator takes large products of floats in graphs with these weights. */
  public boolean hasAccelerator() {
    return store.hasAccelerator();
  }

  /**
   * Whether the product of {@code matrix} with items of so many rows is taken by an accelerator,
   * which widens the matrix by itself where {@link Tensor#mulMatExactly} asks for it. The product
   * is to be marked so ({@link Tensor#ofItems}).
   */
  public boolean accelerates(Tensor matrix, long rows) {
    return store.accelerates(matrix.type(), matrix.size(1), matrix.size(0), rows);
  }

  /** A weight as it is stored, or null if there is none of this name. */
  public @Nullable Tensor find(String name, long... shape) {
    return has(name) ? get(name, shape) : null;
  }

  /** A weight in F32, widened if it is stored otherwise: for biases, norms and tables. */
  public Tensor f32(String name, long... shape) {
    return store.bind(prefix + name, true, shape);
  }

  /**
   * A weight in F32 and in another shape of as many elements, such as a convolution's kernel as a
   * matrix.
   *
   * @param stored sizes that the file must have, in ggml order
   * @param as sizes that the tensor is to have
   */
  public Tensor f32Reshaped(String name, long[] stored, long... as) {
    return store.bindReshaped(prefix + name, stored, as);
  }

  /**
   * The sum of two weights in F32, in another shape of as many elements: a map of two inputs that
   * are equal.
   *
   * @param stored sizes that both must have in the file, in ggml order
   * @param as sizes that the tensor is to have
   */
  public Tensor f32Sum(String first, String second, long[] stored, long... as) {
    return store.bindSum(prefix + first, prefix + second, stored, as);
  }

  /**
   * A weight in F32 that is changed while it is loaded, such as a kernel that is turned around.
   *
   * @param stored sizes that the file must have, in ggml order
   * @param change makes the values to use of those in the file, innermost dimension first
   * @param as sizes that the tensor is to have, of as many elements
   */
  public Tensor f32Computed(String name, long[] stored, UnaryOperator<float[]> change, long... as) {
    return store.bindComputed(prefix + name, stored, change, as);
  }

  /**
   * A table that is not in the file but follows from the configuration, such as rotary positions.
   *
   * @param name under the prefix, which no other table has
   * @param shape sizes in ggml order
   */
  public Tensor constant(String name, float[] values, long... shape) {
    return store.constant(prefix + name, values, shape);
  }

  /** A weight in F32, or null if there is none of this name. */
  public @Nullable Tensor findF32(String name, long... shape) {
    return has(name) ? f32(name, shape) : null;
  }

  /**
   * Whether what is computed with these weights is computed by the CPU, whose kernels stay in F32
   * where those of graphics processors round.
   */
  public boolean onCpu() {
    return store.onCpu();
  }

  /** The full name of a weight, for messages. */
  public String name(String name) {
    return prefix + name;
  }
}
