package dev.ocellus.quantize;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.ggml.RowCodec;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufTensor;
import dev.ocellus.gguf.TensorType;
import dev.ocellus.quantize.imatrix.Importance;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/**
 * Measures how much of what a tensor computes gets lost in a type: {@code Σ h (w - q)² / Σ h w²}
 * over a sample of its rows, where {@code h} is the mean square of what a column is multiplied
 * with. That is the expected squared error of the tensor's output, relative to its size, as far as
 * columns are independent; so it compares tensors of any scale.
 */
final class TypeErrors {
  /** Elements of the sample of a tensor, about. */
  private static final long SAMPLE = 1 << 17;

  private static final int LEAST_ROWS = 16;

  /** Tensors of which errors are wanted, with the types to try. */
  record Question(GgufTensor tensor, List<TensorType> types) {}

  private TypeErrors() {}

  /** Errors of every type of every question, by tensor name. */
  static Map<String, Map<TensorType, Double>> measure(
      GgufFile file,
      List<Question> questions,
      @Nullable Importance importance,
      int nThreads,
      Quantizer.Listener listener,
      CancellationFlag flag)
      throws IOException {
    Map<String, Map<TensorType, Double>> all = new LinkedHashMap<>();
    try (SourceFiles files = new SourceFiles(file);
        var threads =
            Executors.newFixedThreadPool(nThreads, Thread.ofPlatform().daemon().factory())) {
      List<Future<Map<TensorType, Double>>> futures = new ArrayList<>();
      for (Question q : questions) {
        futures.add(threads.submit(() -> measure(files, q, importance, flag)));
      }
      try {
        for (int i = 0; i < questions.size(); i++) {
          GgufTensor t = questions.get(i).tensor();
          listener.tensor(i, questions.size(), new PlannedTensor(t, t.type(), null, false));
          all.put(t.name(), get(futures.get(i)));
        }
      } finally {
        futures.forEach(f -> f.cancel(false));
      }
    }
    return all;
  }

  private static Map<TensorType, Double> get(Future<Map<TensorType, Double>> future)
      throws IOException {
    try {
      return future.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw (CancellationException) new CancellationException("interrupted").initCause(e);
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case IOException io -> throw io;
        case RuntimeException runtime -> throw runtime;
        case null, default -> throw new IllegalStateException(e);
      }
    }
  }

  private static Map<TensorType, Double> measure(
      SourceFiles files, Question q, @Nullable Importance importance, CancellationFlag flag)
      throws IOException {
    GgufTensor t = q.tensor();
    int n = Math.toIntExact(t.dim(0));
    long total = Shapes.nRows(t);
    long rows = Math.min(total, Math.max(LEAST_ROWS, SAMPLE / n));
    float[] columns = ImportanceLookup.tensor(importance, t);
    for (TensorType type : q.types()) {
      ImportanceLookup.requireSome(importance, t, type);
    }
    EncodingLimits limits = new EncodingLimits();
    Map<TensorType, Double> errors = new LinkedHashMap<>();
    try (Arena arena = Arena.ofConfined()) {
      long sourceRow = t.type().rowBytes(n);
      MemorySegment source = arena.allocate(sourceRow, 64);
      MemorySegment row = arena.allocate(4L * n, 64);
      MemorySegment back = arena.allocate(4L * n, 64);
      MemorySegment blocks = arena.allocate(4L * n, 64);
      MemorySegment weights = arena.allocate(4L * n, 64);
      double[] lost = new double[q.types().size()];
      double energy = 0;
      for (long i = 0; i < rows; i++) {
        if (flag.isCancelled()) {
          throw new CancellationException("interrupted");
        }
        long at = i * total / rows;
        files.read(t, at * sourceRow, source);
        RowCodec.decode(t.type(), source, row, n);
        MemorySegment h = MemorySegment.NULL;
        if (columns != null) {
          int matrix = (int) (at / t.dim(1) % t.dim(2));
          MemorySegment.copy(columns, matrix * n, weights, ValueLayout.JAVA_FLOAT, 0, n);
          h = weights;
        }
        for (TensorType type : q.types()) {
          limits.check(t, type, row, at * n, n, columns == null ? null : weights, importance);
        }
        energy += difference(row, null, h, n);
        for (int k = 0; k < lost.length; k++) {
          TensorType type = q.types().get(k);
          RowCodec.encode(type, row, blocks, 1, n, h);
          RowCodec.decode(type, blocks, back, n);
          lost[k] += difference(row, back, h, n);
        }
      }
      for (int k = 0; k < lost.length; k++) {
        errors.put(q.types().get(k), energy > 0 ? lost[k] / energy : 0);
      }
    }
    return errors;
  }

  /** {@code Σ h (a - b)²}; without {@code b} of {@code a} alone. */
  private static double difference(
      MemorySegment a, @Nullable MemorySegment b, MemorySegment h, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++) {
      double d = a.getAtIndex(ValueLayout.JAVA_FLOAT, i);
      if (b != null) {
        d -= b.getAtIndex(ValueLayout.JAVA_FLOAT, i);
      }
      sum += d * d * (h.address() == 0 ? 1 : h.getAtIndex(ValueLayout.JAVA_FLOAT, i));
    }
    return sum;
  }
}
