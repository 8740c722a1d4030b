package dev.ocellus.convert.hf;

import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.io.Memory;
import dev.ocellus.safetensors.SafetensorsType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Map;

/**
 * How a matrix [in, out] lies in words of 32 bits, and what its integers stand for: {@code
 * scale[group, column] · (integer - zero[group, column])}.
 *
 * @param bits of an integer
 * @param alongRows whether a word holds integers of one column, of rows that follow each other; of
 *     one row otherwise
 * @param order place in a word of each of its integers
 * @param addsOne whether zeros are stored less one
 */
record PackedMatrix(int bits, boolean alongRows, int[] order, boolean addsOne) {
  private static final ValueLayout.OfInt WORD =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private static final int WORD_BITS = 32;

  /** Words along rows, even columns before odd ones. */
  static PackedMatrix awq(int bits) {
    return new PackedMatrix(bits, false, new int[] {0, 4, 1, 5, 2, 6, 3, 7}, false);
  }

  /** Words along columns, zeros along rows. */
  static PackedMatrix gptq(int bits, boolean addsOne) {
    int[] order = new int[WORD_BITS / bits];
    java.util.Arrays.setAll(order, i -> i);
    return new PackedMatrix(bits, true, order, addsOne);
  }

  /** The plain matrix [out, in] of a module. */
  LazyTensor of(String module, Map<String, LazyTensor> stored) {
    LazyTensor words = part(module, ".qweight", stored);
    LazyTensor zeroWords = part(module, ".qzeros", stored);
    LazyTensor scales = part(module, ".scales", stored);
    int perWord = WORD_BITS / bits;
    long in = words.size(0) * (alongRows ? perWord : 1);
    long out = words.size(1) * (alongRows ? 1 : perWord);
    long groups = scales.size(0);
    boolean fits =
        words.type() == SafetensorsType.I32
            && zeroWords.type() == SafetensorsType.I32
            && scales.size(1) == out
            && zeroWords.size(0) == groups
            && zeroWords.size(1) * perWord == out
            && groups >= 1
            && in % groups == 0;
    if (!fits) {
      throw new ConversionException(
          "%s, %s and %s are no matrix of integers of %d bits with zeros and scales. The checkpoint is damaged."
              .formatted(words, zeroWords, scales, bits));
    }
    int[] groupOfRow = groups(module, stored, Math.toIntExact(in), Math.toIntExact(groups));
    MemorySegment data = memory(words);
    MemorySegment zeros = memory(zeroWords);
    float[] factors = scales.values();
    int columns = Math.toIntExact(out);
    return LazyTensor.computed(
        module + ".weight",
        scales.type(),
        new long[] {out, in},
        (row, column) -> {
          int group = groupOfRow[(int) column];
          int zero = across(zeros, group, (int) row, columns) + (addsOne ? 1 : 0);
          int value =
              alongRows
                  ? down(data, (int) column, (int) row, columns)
                  : across(data, (int) column, (int) row, columns);
          return factors[group * columns + (int) row] * (value - zero);
        });
  }

  private static LazyTensor part(String module, String name, Map<String, LazyTensor> stored) {
    LazyTensor tensor = stored.get(module + name);
    if (tensor == null || tensor.rank() != 2) {
      throw new ConversionException(
          "'%s%s': expected a matrix, found %s. Is a file of the checkpoint missing?"
              .formatted(module, name, tensor == null ? "nothing" : tensor.toString()));
    }
    return tensor;
  }

  /** Rows may be grouped in another order than they stand in. */
  private static int[] groups(String module, Map<String, LazyTensor> stored, int in, int groups) {
    int[] of = new int[in];
    LazyTensor index = stored.get(module + ".g_idx");
    if (index == null) {
      java.util.Arrays.setAll(of, i -> i / (in / groups));
      return of;
    }
    float[] values = index.count() == in ? index.values() : new float[0];
    for (int i = 0; i < in; i++) {
      if (values.length != in || values[i] < 0 || values[i] >= groups) {
        throw new ConversionException(
            "%s: expected %d numbers of groups below %d. The checkpoint is damaged."
                .formatted(index, in, groups));
      }
      of[i] = (int) values[i];
    }
    return of;
  }

  private static MemorySegment memory(LazyTensor words) {
    Memory memory =
        words
            .stored()
            .orElseThrow(() ->
                new ConversionException(
                    "%s: packed integers are read from safetensors files only. Take the checkpoint in that form, or the one that is not quantized."
                        .formatted(words)));
    return memory.segment();
  }

  /** An integer of a matrix whose words lie along rows. */
  private int across(MemorySegment words, int row, int column, int columns) {
    int perWord = WORD_BITS / bits;
    long word = (long) row * (columns / perWord) + column / perWord;
    return at(words, word, order[column % perWord]);
  }

  /** An integer of a matrix whose words lie along columns. */
  private int down(MemorySegment words, int row, int column, int columns) {
    int perWord = WORD_BITS / bits;
    return at(words, (long) (row / perWord) * columns + column, order[row % perWord]);
  }

  private int at(MemorySegment words, long word, int place) {
    return words.get(WORD, 4 * word) >>> (bits * place) & ((1 << bits) - 1);
  }
}
