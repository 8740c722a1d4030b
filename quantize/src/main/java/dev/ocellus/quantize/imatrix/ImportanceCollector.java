package dev.ocellus.quantize.imatrix;

import dev.ocellus.ggml.MatMul;
import dev.ocellus.ggml.MatMulObserver;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Gathers an {@link ImportanceMatrix} while models compute: give {@link #text} to a context of a
 * text model and {@link #anyWeight} to an image encoder.
 *
 * <p>Sums are those of llama-imatrix: floats, added row by row. Safe for use by several threads.
 */
public final class ImportanceCollector {
  /** Rows of a product below which llama-imatrix looks away: single tokens of an answer. */
  public static final int USUAL_LEAST_ROWS = 16;

  private static final class Sums {
    private final float[] values;
    private final long[] counts;

    Sums(int columns, int nMatrices, int nCounts) {
      this(new float[columns * nMatrices], new long[nCounts]);
    }

    Sums(float[] values, long[] counts) {
      this.values = values;
      this.counts = counts;
    }
  }

  private final Map<String, Sums> sums = new TreeMap<>();
  private final List<String> datasets = new ArrayList<>();
  private final long chunkSize;
  private float[] buffer = new float[0];

  /**
   * @param chunkSize tokens of a portion, to be written to the file
   */
  public ImportanceCollector(long chunkSize) {
    this.chunkSize = chunkSize;
  }

  /** Goes on where an earlier matrix stopped. */
  public synchronized void resume(ImportanceMatrix earlier) {
    if (!sums.isEmpty()) {
      throw new IllegalStateException("Statistics have been collected already");
    }
    datasets.addAll(earlier.datasets());
    earlier
        .entries()
        .forEach((name, e) -> sums.put(name, new Sums(e.sums().clone(), e.counts().clone())));
  }

  /** Notes what is computed from. */
  public synchronized void addDataset(String name) {
    datasets.add(name);
  }

  /**
   * Watches the blocks of a text model, as llama-imatrix does.
   *
   * @param minRows rows below which a product is ignored
   * @param output whether the output weights are watched too
   */
  public MatMulObserver text(int minRows, boolean output) {
    return new Watch(minRows) {
      @Override
      boolean isMeant(String weight) {
        return weight.startsWith("blk.") || (output && weight.equals("output.weight"));
      }
    };
  }

  /** Watches everything that is called a weight. */
  public MatMulObserver anyWeight() {
    return new Watch(1) {
      @Override
      boolean isMeant(String weight) {
        return weight.endsWith(".weight");
      }
    };
  }

  private abstract class Watch implements MatMulObserver {
    private final int minRows;

    Watch(int minRows) {
      this.minRows = minRows;
    }

    abstract boolean isMeant(String weight);

    @Override
    public boolean wants(MatMul p) {
      if (p.byExpert()) {
        return p.inputIsFloat() && isMeant(p.weightName());
      }
      return p.inputSize(1) >= minRows && p.inputIsFloat() && isMeant(p.weightName());
    }

    @Override
    public void observe(MatMul p) {
      add(p);
    }
  }

  private synchronized void add(MatMul p) {
    int n = Math.toIntExact(p.inputSize(0));
    int rows = Math.toIntExact(p.inputSize(1) * p.inputSize(2) * p.inputSize(3));
    if (buffer.length < n * rows) {
      buffer = new float[n * rows];
    }
    p.copyInput(buffer);
    String name = p.weightName();
    if (p.byExpert()) {
      addByExpert(name, p, n);
    } else {
      addAll(name, p, n, rows);
    }
  }

  private void addAll(String name, MatMul p, int n, int rows) {
    int nMatrices = Math.toIntExact(p.weightSize(2) * p.weightSize(3));
    Sums s = sums(name, n, nMatrices, 1);
    int perMatrix = Math.toIntExact(p.inputSize(1));
    for (int row = 0; row < rows; row++) {
      int i2 = row / perMatrix % (int) p.inputSize(2);
      int i3 = row / perMatrix / (int) p.inputSize(2);
      int matrix = (int) (i3 % p.weightSize(3) * p.weightSize(2) + i2 % p.weightSize(2));
      addSquares(buffer, row * n, s.values, matrix * n, n);
    }
    requireFinite(name, s.values, 0, s.values.length);
    for (int i = 0; i < s.counts.length; i++) {
      s.counts[i] += rows / nMatrices;
    }
  }

  /** Activations are {@code [n, used or 1, rows]}. */
  private void addByExpert(String name, MatMul p, int n) {
    int nExperts = Math.toIntExact(p.weightSize(2));
    Sums s = sums(name, n, nExperts, nExperts);
    int used = p.expertsPerRow();
    int[] experts = p.experts();
    int stored = Math.toIntExact(p.inputSize(1));
    int rows = Math.toIntExact(p.inputSize(2));
    for (int i = 0; i < used; i++) {
      for (int row = 0; row < rows; row++) {
        int expert = experts[row * used + i];
        if (expert < 0 || expert >= nExperts) {
          throw new ImatrixException(
              "%s: expert %d of %d was asked for".formatted(name, expert, nExperts));
        }
        s.counts[expert]++;
        addSquares(buffer, (row * stored + i % stored) * n, s.values, expert * n, n);
      }
    }
    requireFinite(name, s.values, 0, s.values.length);
  }

  private Sums sums(String name, int n, int nMatrices, int nCounts) {
    Sums s = sums.computeIfAbsent(name, k -> new Sums(n, nMatrices, nCounts));
    if (s.values.length != n * nMatrices) {
      throw new ImatrixException(
          "%s: the matrix to continue has %d columns, this model has %d. It belongs to another model."
              .formatted(name, s.values.length, n * nMatrices));
    }
    if (s.counts.length < nCounts) { // of an older file
      long[] counts = new long[nCounts];
      Arrays.fill(counts, s.counts[0]);
      s = new Sums(s.values, counts);
      sums.put(name, s);
    }
    return s;
  }

  /** {@code to[j] += from[j]²}, in a form that the compiler turns into vector instructions. */
  private static void addSquares(float[] from, int at, float[] to, int toAt, int n) {
    for (int j = 0; j < n; j++) {
      float x = from[at + j];
      to[toAt + j] += x * x;
    }
  }

  private static void requireFinite(String name, float[] values, int from, int to) {
    for (int i = from; i < to; i++) {
      if (!Float.isFinite(values[i])) {
        throw new ImatrixException(
            "%s: an activation in column %d is infinite or not a number. The model or its quantization is broken."
                .formatted(name, i));
      }
    }
  }

  /** What has been gathered so far. */
  public synchronized ImportanceMatrix matrix() {
    Map<String, ImportanceMatrix.Entry> entries = new TreeMap<>();
    sums.forEach((name, s) ->
        entries.put(name, new ImportanceMatrix.Entry(s.values.clone(), s.counts.clone())));
    return new ImportanceMatrix(
        entries, datasets, ImportanceMatrix.chunks(entries, chunkSize), chunkSize);
  }
}
