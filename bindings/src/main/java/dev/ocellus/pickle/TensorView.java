package dev.ocellus.pickle;

import dev.ocellus.safetensors.SafetensorsType;
import java.util.Arrays;
import java.util.List;

/** Where the elements of a tensor are in its storage. Checked: all of them are in it. */
final class TensorView {
  /** PyTorch's own limit. */
  static final int MAX_DIMS = 64;

  final Storage storage;
  final SafetensorsType type;
  final long offset;
  final long[] sizes;
  final long[] strides;
  final long count;

  private TensorView(
      Storage storage, SafetensorsType type, long offset, long[] sizes, long[] strides) {
    this.storage = storage;
    this.type = type;
    this.offset = offset;
    this.sizes = sizes;
    this.strides = strides;
    long n = 1;
    for (long size : sizes) {
      n *= size;
    }
    this.count = n;
  }

  /**
   * @param offset of the first element, in elements of {@code type}
   * @param sizes outermost first
   * @param strides in elements, for each of {@code sizes}
   */
  static TensorView of(
      PickleInput in,
      Storage storage,
      SafetensorsType type,
      long offset,
      long[] sizes,
      long[] strides) {
    String shown = Arrays.toString(sizes) + " with strides " + Arrays.toString(strides);
    if (sizes.length != strides.length) {
      throw in.bad("a tensor", "a stride for each size", shown);
    }
    long elements = storage.count() * storage.type().bytes() / type.bytes();
    boolean valid = offset >= 0 && offset <= elements;
    boolean empty = false;
    long last = offset;
    long total = 1;
    try {
      for (int i = 0; i < sizes.length; i++) {
        valid &= sizes[i] >= 0 && strides[i] >= 0;
        empty |= sizes[i] == 0;
        total = Math.multiplyExact(total, Math.max(1, sizes[i]));
        last = Math.addExact(last, Math.multiplyExact(Math.max(0, sizes[i] - 1), strides[i]));
      }
    } catch (ArithmeticException e) {
      valid = false;
    }
    if (!valid || total > Long.MAX_VALUE / 8 || (!empty && last >= elements)) {
      throw in.bad(
          "a tensor",
          "elements within the %d of its storage".formatted(elements),
          "%s from %d on".formatted(shown, offset));
    }
    return new TensorView(storage, type, offset, sizes, strides);
  }

  List<Long> shape() {
    return Arrays.stream(sizes).boxed().toList();
  }

  /** Whether the elements lie one after the other in C order. */
  boolean isContiguous() {
    long expected = 1;
    for (int i = sizes.length - 1; i >= 0; i--) {
      if (sizes[i] != 1 && strides[i] != expected && count > 0) {
        return false;
      }
      expected *= sizes[i];
    }
    return true;
  }
}
