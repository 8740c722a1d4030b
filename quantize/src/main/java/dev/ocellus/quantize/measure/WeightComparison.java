package dev.ocellus.quantize.measure;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.ggml.RowCodec;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufTensor;
import dev.ocellus.gguf.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CancellationException;

/** Compares the weights of two files, such as of an original and what was quantized from it. */
public final class WeightComparison {
  private static final int PIECE = 1 << 18;

  /**
   * One tensor that both files have.
   *
   * @param name its name
   * @param typeA its type in the first file
   * @param typeB its type in the second
   * @param nElements its size
   * @param error of the second, relative to the first
   */
  public record Line(
      String name, TensorType typeA, TensorType typeB, long nElements, VectorError error) {}

  private WeightComparison() {}

  /**
   * All tensors that both files have in the same shape, in the order of the first.
   *
   * @throws CancellationException if {@code flag} was set
   */
  public static List<Line> of(GgufFile a, GgufFile b, CancellationFlag flag) {
    List<Line> lines = new ArrayList<>();
    for (GgufTensor ta : a.tensors()) {
      Optional<GgufTensor> tb =
          b.findTensor(ta.name()).filter(t -> sameShape(ta, t) && RowCodec.canDecode(t.type()));
      if (tb.isPresent() && RowCodec.canDecode(ta.type())) {
        lines.add(
            new Line(
                ta.name(), ta.type(), tb.get().type(), ta.nElements(), error(ta, tb.get(), flag)));
      }
    }
    return lines;
  }

  /** Errors of all tensors of a type together, by the type in the second file. */
  public static Map<TensorType, Double> byType(List<Line> lines) {
    Map<TensorType, double[]> sums = new TreeMap<>();
    for (Line line : lines) {
      double[] sum = sums.computeIfAbsent(line.typeB(), t -> new double[2]);
      sum[0] += line.nElements() * line.error().relative() * line.error().relative();
      sum[1] += line.nElements();
    }
    Map<TensorType, Double> errors = new TreeMap<>();
    sums.forEach((type, sum) -> errors.put(type, Math.sqrt(sum[0] / sum[1])));
    return errors;
  }

  private static boolean sameShape(GgufTensor a, GgufTensor b) {
    for (int i = 0; i < 4; i++) {
      if (a.dim(i) != b.dim(i)) {
        return false;
      }
    }
    return true;
  }

  private static VectorError error(GgufTensor a, GgufTensor b, CancellationFlag flag) {
    var sums = new VectorError.Sums();
    long nPerRow = a.dim(0);
    long rowsPerPiece = Math.max(1, PIECE / nPerRow);
    long nRows = a.nElements() / nPerRow;
    for (long row = 0; row < nRows; row += rowsPerPiece) {
      if (flag.isCancelled()) {
        throw new CancellationException("interrupted");
      }
      long n = Math.min(rowsPerPiece, nRows - row);
      sums.add(floats(a, row, n), floats(b, row, n));
    }
    return sums.error();
  }

  private static float[] floats(GgufTensor t, long row, long nRows) {
    long rowBytes = t.type().rowBytes(t.dim(0));
    long n = nRows * t.dim(0);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment blocks =
          arena
              .allocate(nRows * rowBytes, 64)
              .copyFrom(t.data().segment().asSlice(row * rowBytes, nRows * rowBytes));
      MemorySegment floats = arena.allocate(4 * n, 64);
      RowCodec.decode(t.type(), blocks, floats, n);
      return floats.toArray(ValueLayout.JAVA_FLOAT);
    }
  }
}
