package dev.ocellus.gguf;

/**
 * A metadata value. Numbers and booleans are records; strings and arrays stay in the mapped file
 * until they are asked for, so they can be read only while the {@link GgufFile} is open.
 */
public sealed interface GgufValue
    permits GgufValue.Int, GgufValue.Real, GgufValue.Bool, GgufString, GgufArray {

  /** The type in the file. */
  MetadataType type();

  /** The value as a person would read it; a long array is cut short. */
  String display();

  /**
   * An integer of any width.
   *
   * @param value the value; for {@link MetadataType#U64} the 64 bits, to be read as unsigned
   */
  record Int(MetadataType type, long value) implements GgufValue {
    public Int {
      boolean fits =
          switch (type) {
            case U8 -> value >= 0 && value <= 0xff;
            case I8 -> value == (byte) value;
            case U16 -> value >= 0 && value <= 0xffff;
            case I16 -> value == (short) value;
            case U32 -> value >= 0 && value <= 0xffff_ffffL;
            case I32 -> value == (int) value;
            case U64, I64 -> true;
            case F32, F64, BOOL, STRING, ARRAY ->
                throw new IllegalArgumentException(type.shortName() + " is not an integer type");
          };
      if (!fits) {
        throw new IllegalArgumentException(
            "%d does not fit in a metadata value of type %s".formatted(value, type.shortName()));
      }
    }

    @Override
    public String display() {
      return type == MetadataType.U64 ? Long.toUnsignedString(value) : Long.toString(value);
    }
  }

  /** A floating point number; an f32 is widened exactly. */
  record Real(MetadataType type, double value) implements GgufValue {
    public Real {
      if (!type.isFloat()) {
        throw new IllegalArgumentException(type.shortName() + " is not a floating point type");
      }
    }

    @Override
    public String display() {
      return type == MetadataType.F32 ? Float.toString((float) value) : Double.toString(value);
    }
  }

  /** A boolean. */
  record Bool(boolean value) implements GgufValue {
    @Override
    public MetadataType type() {
      return MetadataType.BOOL;
    }

    @Override
    public String display() {
      return Boolean.toString(value);
    }
  }
}
