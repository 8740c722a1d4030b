package dev.ocellus.quantize;

import dev.ocellus.compute.GgmlException;
import dev.ocellus.ggml.RowCodec;
import dev.ocellus.gguf.GgufTensor;
import dev.ocellus.gguf.TensorType;
import dev.ocellus.quantize.imatrix.Importance;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Memory for one {@link RowJob} at a time, and its computation. Used by one thread at a time. */
final class RowWorker {

  /** Bytes that the largest job takes. */
  record Sizes(long source, long floats, long result, long columns) {
    static Sizes of(List<PlannedTensor> tensors) {
      long source = 0;
      long floats = 0;
      long result = 0;
      long columns = 0;
      for (PlannedTensor t : tensors) {
        RowJob job = RowJob.of(t).getFirst(); // the others are not larger
        source = Math.max(source, job.sourceBytes());
        if (t.changes()) {
          floats = Math.max(floats, 4 * job.nElements());
          result = Math.max(result, job.resultBytes());
          columns = Math.max(columns, 4 * t.tensor().dim(0));
        }
      }
      return new Sizes(source, floats, result, columns);
    }
  }

  private final SourceFiles files;
  private final @Nullable Importance importance;
  private final EncodingLimits limits = new EncodingLimits();
  private final MemorySegment source;
  private final MemorySegment floats;
  private final MemorySegment blocks;
  private final MemorySegment columns;
  private MemorySegment result = MemorySegment.NULL;

  RowWorker(SourceFiles files, @Nullable Importance importance, Sizes sizes, Arena arena) {
    this.files = files;
    this.importance = importance;
    this.source = arena.allocate(Math.max(1, sizes.source()), 64);
    this.floats = arena.allocate(Math.max(1, sizes.floats()), 64);
    this.blocks = arena.allocate(Math.max(1, sizes.result()), 64);
    this.columns = arena.allocate(Math.max(1, sizes.columns()), 64);
  }

  void compute(RowJob job) throws IOException {
    PlannedTensor planned = job.tensor();
    GgufTensor t = planned.tensor();
    MemorySegment read = source.asSlice(0, job.sourceBytes());
    files.read(t, job.firstRow() * t.type().rowBytes(t.dim(0)), read);
    requireValid(t, t.type(), read, "holds");
    if (!planned.changes()) {
      result = read;
      return;
    }
    MemorySegment rows = read;
    if (t.type() != TensorType.F32) {
      rows = floats.asSlice(0, 4 * job.nElements());
      RowCodec.decode(t.type(), read, rows, job.nElements());
    }
    MemorySegment weights = columnsOf(job);
    long first = job.firstRow() * t.dim(0);
    limits.check(t, planned.type(), rows, first, job.nElements(), weights, importance);
    result = blocks.asSlice(0, job.resultBytes());
    encode(job, rows, weights == null ? MemorySegment.NULL : weights);
    requireValid(t, planned.type(), result, "as " + planned.type().ggmlName() + " would hold");
  }

  private void encode(RowJob job, MemorySegment rows, MemorySegment weights) {
    GgufTensor t = job.tensor().tensor();
    TensorType type = job.tensor().type();
    try {
      RowCodec.encode(type, rows, result, job.nRows(), t.dim(0), weights);
    } catch (GgmlException e) { // beyond all bounds that are known
      throw new QuantizeException(
          "%s: tensor %s cannot be quantized as %s: %s. Choose another type for it, or another importance matrix."
              .formatted(t.file(), t.name(), type.ggmlName(), e.getMessage()),
          e);
    }
  }

  private @Nullable MemorySegment columnsOf(RowJob job) {
    float[] all = ImportanceLookup.tensor(importance, job.tensor().tensor());
    if (all == null) {
      return null;
    }
    int n = Math.toIntExact(job.tensor().tensor().dim(0));
    MemorySegment.copy(all, job.matrix() * n, columns, ValueLayout.JAVA_FLOAT, 0, n);
    return columns.asSlice(0, 4L * n);
  }

  private void requireValid(GgufTensor t, TensorType type, MemorySegment data, String what) {
    if (!RowCodec.isValid(type, data)) {
      throw new InvalidTensorDataException(
          "%s: tensor %s %s a value that is infinite or not a number. The file is damaged, or the model was trained or converted wrongly; get it again."
              .formatted(t.file(), t.name(), what));
    }
  }

  /** What the last job gave; valid until the next one. */
  MemorySegment result() {
    return result;
  }
}
