package dev.ocellus.cli.options;

import dev.ocellus.compute.MatrixPrecision;
import java.util.Locale;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** The names of {@link MatrixPrecision} in small letters. */
final class MatrixPrecisionConverter implements ITypeConverter<MatrixPrecision> {
  @Override
  public MatrixPrecision convert(String value) {
    for (MatrixPrecision precision : MatrixPrecision.values()) {
      if (precision.name().toLowerCase(Locale.ROOT).equals(value)) {
        return precision;
      }
    }
    throw new TypeConversionException(
        "expected exact, stored, bf16, q8_0 or fast, found '" + value + "'");
  }
}
