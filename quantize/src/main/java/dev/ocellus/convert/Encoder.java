package dev.ocellus.convert;

import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.gguf.TensorSource;
import dev.ocellus.gguf.TensorType;
import dev.ocellus.io.Memory;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.ClosedByInterruptException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;
import java.util.stream.IntStream;

/**
 * Writes tensors in the type of the file. Pieces of some megabytes are read and encoded by all
 * processors, then written in order, so memory does not grow with the tensor, and the bytes do not
 * depend on the number of threads.
 */
final class Encoder {
  /** Elements of a piece: a multiple of every block size. */
  private static final int PIECE = 1 << 20;

  private final int pieces = Math.max(1, Runtime.getRuntime().availableProcessors());
  private final List<Piece> buffers = new ArrayList<>();
  private final LongConsumer progress;

  /**
   * @param progress is told the number of elements that were written since it was last told
   */
  Encoder(LongConsumer progress) {
    this.progress = progress;
  }

  /** The bytes of a tensor in a type. */
  TensorSource source(LazyTensor tensor, TensorType type) {
    return sink -> write(tensor, type, sink);
  }

  private void write(LazyTensor tensor, TensorType type, TensorSource.Sink sink)
      throws IOException {
    Memory stored = tensor.stored().orElse(null);
    if (stored != null && StoredFloats.isSame(tensor.type(), type)) {
      copy(tensor, stored, sink);
      return;
    }
    long count = tensor.count();
    int size = (int) Math.min(PIECE, count);
    while (buffers.size() < Math.min(pieces, Math.ceilDiv(count, (long) PIECE))) {
      buffers.add(new Piece());
    }
    long done = 0;
    while (done < count) {
      if (Thread.currentThread().isInterrupted()) {
        throw new ClosedByInterruptException();
      }
      long start = done;
      int n = (int) Math.min(pieces, Math.ceilDiv(count - start, (long) PIECE));
      List<MemorySegment> encoded =
          IntStream.range(0, n)
              .parallel()
              .mapToObj(i -> {
                long first = start + (long) i * PIECE;
                int length = (int) Math.min(size, count - first);
                return buffers.get(i).encode(tensor, type, first, length);
              })
              .toList();
      for (MemorySegment s : encoded) {
        sink.write(new Memory(s));
      }
      long next = Math.min(count, start + (long) n * PIECE);
      progress.accept(next - done);
      done = next;
    }
  }

  /** From the mapped file straight into the new one, where both hold the same type. */
  private void copy(LazyTensor tensor, Memory stored, TensorSource.Sink sink) throws IOException {
    long count = tensor.count();
    int size = tensor.type().bytes();
    for (long first = 0; first < count; first += PIECE) {
      if (Thread.currentThread().isInterrupted()) {
        throw new ClosedByInterruptException();
      }
      int length = (int) Math.min(PIECE, count - first);
      Memory piece = new Memory(stored.segment().asSlice(first * size, (long) length * size));
      if (!StoredFloats.areFinite(piece, tensor.type())) {
        float[] values = new float[length];
        tensor.read(first, values, 0, length);
        OutputRounding.requireFinite(tensor, first, values, length);
      }
      sink.write(piece);
      progress.accept(length);
    }
  }

  /** The buffers of one piece, used again for the next. */
  private static final class Piece {
    private float[] floats = new float[0];
    private short[] halves = new short[0];
    private byte[] blocks = new byte[0];

    MemorySegment encode(LazyTensor tensor, TensorType type, long first, int length) {
      if (floats.length < length) {
        floats = new float[length];
      }
      tensor.read(first, floats, 0, length);
      OutputRounding.requireFinite(tensor, first, floats, length);
      return switch (type) {
        case F32 -> MemorySegment.ofArray(floats).asSlice(0, 4L * length);
        case F16 -> {
          growHalves(length);
          OutputRounding.toF16(floats, halves, length);
          OutputRounding.requireInF16(tensor, first, floats, length);
          yield MemorySegment.ofArray(halves).asSlice(0, 2L * length);
        }
        case BF16 -> {
          growHalves(length);
          OutputRounding.toBf16(floats, halves, length);
          yield MemorySegment.ofArray(halves).asSlice(0, 2L * length);
        }
        case Q8_0 -> {
          int bytes = length / 32 * 34;
          if (blocks.length < bytes) {
            blocks = new byte[bytes];
          }
          OutputRounding.requireInQ8(tensor, first, floats, length);
          OutputRounding.toQ8(floats, blocks, length);
          yield MemorySegment.ofArray(blocks).asSlice(0, bytes);
        }
        default -> throw new IllegalArgumentException("not a type of conversion: " + type);
      };
    }

    private void growHalves(int length) {
      if (halves.length < length) {
        halves = new short[length];
      }
    }
  }
}
