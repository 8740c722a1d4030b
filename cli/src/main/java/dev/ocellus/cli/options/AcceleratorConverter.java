package dev.ocellus.cli.options;

import dev.ocellus.compute.Accelerator;
import java.util.Locale;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** The names of {@link Accelerator} in small letters. */
final class AcceleratorConverter implements ITypeConverter<Accelerator> {
  @Override
  public Accelerator convert(String value) {
    for (Accelerator accelerator : Accelerator.values()) {
      if (accelerator.name().toLowerCase(Locale.ROOT).equals(value)) {
        return accelerator;
      }
    }
    throw new TypeConversionException(
        "expected auto, off, openblas or onednn, found '" + value + "'");
  }
}
