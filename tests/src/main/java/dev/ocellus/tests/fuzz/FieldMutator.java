package dev.ocellus.tests.fuzz;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * Damages the header of a GGUF file field by field: counts, lengths, types, offsets, numbers and
 * text, as no writer would ever write them.
 */
final class FieldMutator {
  /** A number in the header, or text if {@code size} is none of 1, 2, 4 and 8. */
  private record Field(int at, int size, boolean real) {}

  private static final int ARRAY = 9;
  private static final int STRING = 8;
  private static final int[] SIZES = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
  private static final int FEW = 4;

  private final ByteBuffer file;
  private final List<Field> fields = new ArrayList<>();

  private FieldMutator(byte[] file) {
    this.file = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** A damaged copy of a file that is in order. */
  static byte[] mutate(byte[] whole, RandomGenerator random) {
    byte[] copy = whole.clone();
    FieldMutator mutator = new FieldMutator(copy);
    mutator.scan();
    for (int i = 1 + random.nextInt(2); i > 0; i--) {
      mutator.change(EdgeValues.one(mutator.fields, random), random);
    }
    return copy;
  }

  private void change(Field f, RandomGenerator random) {
    switch (f.size) {
      case 1 -> file.put(f.at, (byte) EdgeValues.integer(file.get(f.at), random));
      case 2 -> file.putShort(f.at, (short) EdgeValues.integer(file.getShort(f.at), random));
      case 4 -> {
        if (f.real) {
          file.putFloat(f.at, EdgeValues.real(random));
        } else {
          file.putInt(f.at, (int) EdgeValues.integer(file.getInt(f.at), random));
        }
      }
      case 8 -> file.putLong(f.at, EdgeValues.integer(file.getLong(f.at), random));
      default -> {
        if (f.size > 0) {
          file.put(f.at + random.nextInt(f.size), (byte) random.nextInt(256));
        }
      }
    }
  }

  private void scan() {
    file.position(4);
    number(4);
    int nTensors = (int) number(8);
    int nMetadata = (int) number(8);
    for (int i = 0; i < nMetadata; i++) {
      text(true);
      value((int) number(4), true);
    }
    for (int i = 0; i < nTensors; i++) {
      text(true);
      int nDims = (int) number(4);
      for (int d = 0; d < nDims; d++) {
        number(8);
      }
      number(4);
      number(8);
    }
  }

  private void value(int type, boolean keep) {
    switch (type) {
      case STRING -> text(keep);
      case ARRAY -> {
        int element = (int) number(4);
        long n = number(8);
        for (long i = 0; i < n; i++) {
          value(element, i < FEW); // the first will do: vocabularies are long
        }
      }
      default -> {
        int size = SIZES[type];
        if (keep) {
          fields.add(new Field(file.position(), size, type == 6));
        }
        file.position(file.position() + size);
      }
    }
  }

  private void text(boolean keep) {
    int at = file.position();
    int length = (int) file.getLong();
    if (keep) {
      fields.add(new Field(at, 8, false));
      if (length != 1 && length != 2 && length != 4 && length != 8) {
        fields.add(new Field(at + 8, length, false));
      }
    }
    file.position(at + 8 + length);
  }

  private long number(int size) {
    int at = file.position();
    fields.add(new Field(at, size, false));
    return size == 4 ? file.getInt() : file.getLong();
  }
}
