package dev.ocellus.pickle;

import dev.ocellus.io.Memory;
import dev.ocellus.safetensors.ElementDecoder;
import dev.ocellus.safetensors.SafetensorsType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/** A tensor in a mapped file, whose elements may lie in any order and have any order of bytes. */
final class StoredTensor {
  /**
   * Elements that are gathered at once; a few pages, so that they stay in the processor's cache.
   */
  private static final int CHUNK = 4096;

  private final TensorView view;
  private final MemorySegment data;
  private final boolean plain;
  private final boolean swapped;

  private StoredTensor(TensorView view, MemorySegment data, ByteOrder order) {
    this.view = view;
    this.data = data;
    this.swapped = order == ByteOrder.BIG_ENDIAN && view.type.bytes() > 1;
    this.plain = !swapped && view.isContiguous();
  }

  static StoredTensor of(TensorView view, StoredState state) {
    Storage s = view.storage;
    MemorySegment whole = Objects.requireNonNull(state.storages().get(s.key()));
    long bytes = s.type().bytes();
    MemorySegment part = whole.asSlice(s.first() * bytes, s.count() * bytes);
    return new StoredTensor(view, part, state.order());
  }

  SafetensorsType type() {
    return view.type;
  }

  List<Long> shape() {
    return view.shape();
  }

  /** The elements in the file, if they lie there in C order and little-endian. */
  Optional<Memory> stored() {
    if (!plain) {
      return Optional.empty();
    }
    long bytes = view.type.bytes();
    return Optional.of(new Memory(data.asSlice(view.offset * bytes, view.count * bytes)));
  }

  /**
   * Reads elements in C order, widened or rounded to float.
   *
   * @throws IndexOutOfBoundsException if they are not all in the tensor and the array
   */
  void read(long first, float[] out, int offset, int count) {
    Objects.checkFromIndexSize(first, count, view.count);
    Objects.checkFromIndexSize(offset, count, out.length);
    if (plain) {
      long at = (view.offset + first) * view.type.bytes();
      ElementDecoder.read(view.type, data, at, out, offset, count);
      return;
    }
    int size = view.type.bytes();
    byte[] gathered = new byte[Math.min(count, CHUNK) * size];
    MemorySegment segment = MemorySegment.ofArray(gathered);
    for (int done = 0; done < count; done += CHUNK) {
      int n = Math.min(CHUNK, count - done);
      gather(first + done, gathered, n);
      ElementDecoder.read(view.type, segment, 0, out, offset + done, n);
    }
  }

  /** Copies elements, little-endian and in C order. */
  private void gather(long first, byte[] to, int n) {
    int rank = view.sizes.length;
    long[] index = new long[rank];
    long rest = first;
    long at = view.offset;
    for (int d = rank - 1; d >= 0; d--) {
      index[d] = rest % view.sizes[d];
      rest /= view.sizes[d];
      at += index[d] * view.strides[d];
    }
    int size = view.type.bytes();
    for (int i = 0; i < n; i++) {
      copy(at * size, to, i * size, size);
      for (int d = rank - 1; d >= 0; d--) {
        at += view.strides[d];
        if (++index[d] < view.sizes[d]) {
          break;
        }
        at -= index[d] * view.strides[d];
        index[d] = 0;
      }
    }
  }

  private void copy(long from, byte[] to, int at, int size) {
    for (int b = 0; b < size; b++) {
      to[at + (swapped ? size - 1 - b : b)] = data.get(ValueLayout.JAVA_BYTE, from + b);
    }
  }
}
