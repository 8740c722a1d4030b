package dev.ocellus.convert.hf;

import dev.ocellus.io.Memory;
import dev.ocellus.safetensors.SafetensorsType;
import dev.ocellus.safetensors.TensorFile;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.LongUnaryOperator;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A tensor of a checkpoint, or one that is made from such. Nothing is read before {@link #read}
 * asks for elements, and only what it asks for, so a model larger than the memory can be converted.
 *
 * <p>Shapes are those of PyTorch, outermost first. Immutable; safe for use by several threads.
 */
public final class LazyTensor {
  /** Gives elements in C order. */
  private interface Elements {
    void read(long first, float[] out, int offset, int count);
  }

  private final String name;
  private final SafetensorsType type;
  private final long[] shape;
  private final Elements elements;
  private final @Nullable Supplier<Optional<Memory>> stored;

  private LazyTensor(String name, SafetensorsType type, long[] shape, Elements elements) {
    this(name, type, shape, elements, null);
  }

  private LazyTensor(
      String name,
      SafetensorsType type,
      long[] shape,
      Elements elements,
      @Nullable Supplier<Optional<Memory>> stored) {
    this.name = name;
    this.type = type;
    this.shape = shape;
    this.elements = elements;
    this.stored = stored;
  }

  /** A tensor of a file. */
  static LazyTensor of(TensorFile file, String name) {
    List<Long> shape = file.shape(name);
    return new LazyTensor(
        name,
        file.type(name),
        shape.stream().mapToLong(Long::longValue).toArray(),
        (first, out, offset, count) -> file.read(name, first, out, offset, count),
        () -> file.stored(name));
  }

  /** A vector that is computed, not stored. */
  public static LazyTensor of(String name, float... values) {
    float[] copy = values.clone();
    return new LazyTensor(
        name,
        SafetensorsType.F32,
        new long[] {copy.length},
        (first, out, offset, count) ->
            System.arraycopy(copy, Math.toIntExact(first), out, offset, count));
  }

  /** Gives one element of a matrix. */
  interface Element {
    float at(long row, long column);
  }

  /** A matrix that is computed element by element. */
  static LazyTensor computed(String name, SafetensorsType type, long[] shape, Element element) {
    long columns = shape[1];
    return new LazyTensor(
        name,
        type,
        shape.clone(),
        (first, out, offset, count) -> {
          for (int i = 0; i < count; i++) {
            out[offset + i] = element.at((first + i) / columns, (first + i) % columns);
          }
        });
  }

  /**
   * Adds the product of two small matrices, which are read when the first of its elements is.
   *
   * @param left [rows, rank], where this tensor has {@code rows} in its outermost dimension
   * @param right [rank, all its others]
   */
  LazyTensor plusProduct(LazyTensor left, LazyTensor right, float scale) {
    LowRank product = new LowRank(left, right, scale);
    return new LazyTensor(
        name,
        SafetensorsType.F32,
        shape,
        (first, out, offset, count) -> {
          elements.read(first, out, offset, count);
          product.addTo(first, out, offset, count);
        });
  }

  /** The name in the checkpoint, for messages. */
  public String name() {
    return name;
  }

  /** Type in the checkpoint. */
  public SafetensorsType type() {
    return type;
  }

  /** Sizes, outermost first. */
  public long[] shape() {
    return shape.clone();
  }

  /** Number of dimensions. */
  public int rank() {
    return shape.length;
  }

  /** Size of a dimension, from the outermost. */
  public long size(int dimension) {
    return shape[dimension];
  }

  /** Number of elements. */
  public long count() {
    return product(shape);
  }

  /**
   * Reads elements in C order.
   *
   * @throws IndexOutOfBoundsException if they are not all in the tensor and the array
   */
  public void read(long first, float[] out, int offset, int count) {
    Objects.checkFromIndexSize(first, count, count());
    Objects.checkFromIndexSize(offset, count, out.length);
    elements.read(first, out, offset, count);
  }

  /** All elements of a small tensor. */
  public float[] values() {
    float[] out = new float[Math.toIntExact(count())];
    elements.read(0, out, 0, out.length);
    return out;
  }

  /** The same elements in another shape. */
  public LazyTensor reshape(long... newShape) {
    if (product(newShape) != count()) {
      throw new IllegalArgumentException(
          "%s: %s does not fit into %s"
              .formatted(name, Arrays.toString(shape), Arrays.toString(newShape)));
    }
    return new LazyTensor(name, type, newShape.clone(), elements, stored);
  }

  /**
   * The elements as the file holds them, in {@link #type()} and C order; empty for a tensor that is
   * made of others, or lies otherwise in its file.
   */
  public Optional<Memory> stored() {
    return stored == null ? Optional.empty() : stored.get();
  }

  /** Adds a number to every element. */
  public LazyTensor plus(float number) {
    return each(x -> x + number);
  }

  /** Multiplies every element by a number. */
  public LazyTensor times(float number) {
    return each(x -> x * number);
  }

  /** e to the power of every element, negated. */
  public LazyTensor minusExp() {
    return each(x -> (float) -Math.exp(x));
  }

  /** A function of one element. */
  private interface Change {
    float of(float x);
  }

  private LazyTensor each(Change change) {
    return new LazyTensor(
        name,
        SafetensorsType.F32,
        shape,
        (first, out, offset, count) -> {
          elements.read(first, out, offset, count);
          for (int i = offset; i < offset + count; i++) {
            out[i] = change.of(out[i]);
          }
        });
  }

  /**
   * Parts of the tensor in another order: part {@code i} of the result is part {@code source(i)} of
   * this one, where a part is {@code length} elements that follow each other.
   */
  public LazyTensor rearrange(long length, LongUnaryOperator source, long... newShape) {
    Elements moved =
        (first, out, offset, count) -> {
          long at = first;
          int to = offset;
          while (to < offset + count) {
            long within = at % length;
            int n = (int) Math.min(length - within, offset + count - (long) to);
            elements.read(source.applyAsLong(at / length) * length + within, out, to, n);
            at += n;
            to += n;
          }
        };
    return new LazyTensor(name, type, newShape.clone(), moved);
  }

  /** Elements {@code from} to {@code to} of the outermost dimension. */
  public LazyTensor slice(long from, long to) {
    Objects.checkFromToIndex(from, to, shape[0]);
    long[] newShape = shape.clone();
    newShape[0] = to - from;
    long start = from * (shape[0] == 0 ? 0 : count() / shape[0]);
    return new LazyTensor(
        name,
        type,
        newShape,
        (first, out, offset, count) -> elements.read(start + first, out, offset, count));
  }

  /** One of {@code n} equal parts along the outermost dimension. */
  public LazyTensor part(int index, int n) {
    long size = shape[0] / n;
    return slice(index * size, (index + 1) * size);
  }

  /**
   * Tensors of one shape, one after the other along a new outermost dimension.
   *
   * @throws IllegalArgumentException if there is none, or their shapes or types differ
   */
  public static LazyTensor stacked(List<LazyTensor> parts) {
    LazyTensor first = parts.getFirst();
    for (LazyTensor part : parts) {
      if (!Arrays.equals(part.shape, first.shape) || part.type != first.type) {
        throw new IllegalArgumentException(part + " does not go with " + first);
      }
    }
    long length = first.count();
    long[] newShape = new long[first.shape.length + 1];
    newShape[0] = parts.size();
    System.arraycopy(first.shape, 0, newShape, 1, first.shape.length);
    List<LazyTensor> copy = List.copyOf(parts);
    return new LazyTensor(
        first.name,
        first.type,
        newShape,
        (from, out, offset, count) -> {
          int done = 0;
          while (done < count) {
            long within = (from + done) % length;
            int n = (int) Math.min(length - within, count - (long) done);
            copy.get((int) ((from + done) / length)).elements.read(within, out, offset + done, n);
            done += n;
          }
        });
  }

  /**
   * Two tensors one after the other along the outermost dimension.
   *
   * @throws IllegalArgumentException if their other sizes differ
   */
  public LazyTensor followedBy(LazyTensor other) {
    long[] newShape = shape.clone();
    newShape[0] += other.shape[0];
    long[] expected = shape.clone();
    expected[0] = other.shape[0];
    if (!Arrays.equals(other.shape, expected)) {
      throw new IllegalArgumentException(other + " does not go behind " + this);
    }
    long own = count();
    return new LazyTensor(
        name,
        type == other.type ? type : SafetensorsType.F32,
        newShape,
        (from, out, offset, count) -> {
          int n = (int) Math.clamp(own - from, 0, count);
          if (n > 0) {
            elements.read(from, out, offset, n);
          }
          if (n < count) {
            other.elements.read(from + n - own, out, offset + n, count - n);
          }
        });
  }

  /**
   * Rows and columns of every matrix exchanged, in a tensor of three dimensions. As many columns as
   * a reading covers are read together.
   */
  public LazyTensor transposedEach() {
    long rows = shape[1];
    long columns = shape[2];
    return new LazyTensor(
        name,
        type,
        new long[] {shape[0], columns, rows},
        (from, out, offset, count) -> {
          int done = 0;
          while (done < count) {
            long at = from + done;
            long matrix = at / (rows * columns);
            long column = at / rows % columns; // of this tensor: a row of the result
            long row = at % rows;
            // whole rows of the result where there are some, else the rest of one
            int whole = (int) Math.min((count - done) / rows, columns - column);
            if (row == 0 && whole > 0) {
              float[] line = new float[whole];
              for (int r = 0; r < rows; r++) {
                elements.read((matrix * rows + r) * columns + column, line, 0, whole);
                for (int c = 0; c < whole; c++) {
                  out[Math.toIntExact(offset + done + c * rows + r)] = line[c];
                }
              }
              done += Math.toIntExact(whole * rows);
            } else {
              int n = (int) Math.min(rows - row, count - (long) done);
              for (int r = 0; r < n; r++) {
                long source = (matrix * rows + row + r) * columns + column;
                elements.read(source, out, offset + done + r, 1);
              }
              done += n;
            }
          }
        });
  }

  /** Rows and columns of a matrix exchanged. */
  public LazyTensor transposed() {
    long rows = shape[0];
    long columns = shape[1];
    return rearrange(1, i -> i % rows * columns + i / rows, columns, rows);
  }

  /**
   * Element {@code index} of dimension 2 of 5: a convolution over time and space becomes one over
   * space.
   */
  public LazyTensor frame(int index) {
    long plane = shape[3] * shape[4];
    long frames = shape[2];
    return rearrange(plane, i -> i * frames + index, shape[0], shape[1], shape[3], shape[4]);
  }

  /**
   * Multiplies a matrix by a scale for each block of {@code blockRows} times {@code blockColumns}
   * elements, as 8-bit checkpoints are stored.
   *
   * @param scales one for each block, row by row
   */
  public LazyTensor scaledByBlock(float[] scales, long blockRows, long blockColumns) {
    long columns = shape[shape.length - 1];
    long perRow = (columns + blockColumns - 1) / blockColumns;
    return new LazyTensor(
        name,
        SafetensorsType.F32,
        shape,
        (first, out, offset, count) -> {
          elements.read(first, out, offset, count);
          for (int i = 0; i < count; i++) {
            long row = (first + i) / columns;
            long column = (first + i) % columns;
            out[offset + i] *= scales[(int) (row / blockRows * perRow + column / blockColumns)];
          }
        });
  }

  /**
   * Multiplies parts that follow each other by a number each.
   *
   * @param length elements of a part
   */
  public LazyTensor scaledByPart(float[] scales, long length) {
    return new LazyTensor(
        name,
        SafetensorsType.F32,
        shape,
        (first, out, offset, count) -> {
          elements.read(first, out, offset, count);
          for (int i = 0; i < count; i++) {
            out[offset + i] *= scales[(int) ((first + i) / length)];
          }
        });
  }

  /** The number of elements of a shape. */
  public static long product(long... shape) {
    long n = 1;
    for (long d : shape) {
      n = Math.multiplyExact(n, d);
    }
    return n;
  }

  @Override
  public String toString() {
    return name + Arrays.toString(shape) + ":" + type;
  }
}
