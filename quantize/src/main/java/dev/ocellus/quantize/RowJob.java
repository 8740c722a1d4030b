package dev.ocellus.quantize;

import java.util.ArrayList;
import java.util.List;

/**
 * Some rows of one tensor, which are computed at once. They never belong to two experts, whose
 * columns matter differently.
 *
 * @param tensor what they are rows of
 * @param firstRow the first, counted over all matrices of the tensor
 * @param nRows how many
 */
record RowJob(PlannedTensor tensor, long firstRow, long nRows) {
  /** Elements of one job, about: a megabyte of floats, which a core's cache still holds. */
  private static final long ELEMENTS = 1 << 18;

  static List<RowJob> of(PlannedTensor tensor) {
    long nPerRow = tensor.tensor().dim(0);
    long total = Shapes.nRows(tensor.tensor());
    long perMatrix = tensor.tensor().dim(1);
    long max = Math.max(1, ELEMENTS / nPerRow);
    List<RowJob> jobs = new ArrayList<>();
    for (long row = 0; row < total; ) {
      long n = Math.min(max, perMatrix - row % perMatrix);
      jobs.add(new RowJob(tensor, row, n));
      row += n;
    }
    return jobs;
  }

  long nElements() {
    return nRows * tensor.tensor().dim(0);
  }

  long sourceBytes() {
    return nRows * tensor.tensor().type().rowBytes(tensor.tensor().dim(0));
  }

  long resultBytes() {
    return nRows * tensor.type().rowBytes(tensor.tensor().dim(0));
  }

  /** Which of the matrices of the third dimension the rows are of. */
  int matrix() {
    return (int) (firstRow / tensor.tensor().dim(1) % tensor.tensor().dim(2));
  }
}
