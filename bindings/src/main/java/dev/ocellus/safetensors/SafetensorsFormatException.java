package dev.ocellus.safetensors;

import dev.ocellus.OcellusException;
import dev.ocellus.io.ForeignFile;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** A file is not a safetensors file, is damaged, or does not hold what was asked for. */
public final class SafetensorsFormatException extends OcellusException {
  private static final long serialVersionUID = 1;

  /** The file is something else. */
  SafetensorsFormatException(Path file, ForeignFile.Description foreign) {
    super(
        "%s: expected a safetensors file, found %s. %s"
            .formatted(file, foreign.found(), foreign.remedy()));
  }

  SafetensorsFormatException(Path file, String what, String expected, String found) {
    this(file, what, expected, found, null);
  }

  SafetensorsFormatException(
      Path file, String what, String expected, String found, @Nullable Throwable cause) {
    super(
        "%s: %s: expected %s, found %s. Download the checkpoint again if it should be whole."
            .formatted(file, what, expected, found),
        cause);
  }
}
