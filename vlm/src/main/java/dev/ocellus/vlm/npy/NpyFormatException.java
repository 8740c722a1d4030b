package dev.ocellus.vlm.npy;

import dev.ocellus.OcellusException;
import java.nio.file.Path;

/** A file is not a {@code .npy} file, is damaged, or holds a type or order that is not read. */
public final class NpyFormatException extends OcellusException {
  private static final long serialVersionUID = 1;

  NpyFormatException(Path file, String expected, String found) {
    super(
        "%s: expected %s, found %s. Write it with numpy.save as float32 or int64 in C order."
            .formatted(file, expected, found));
  }
}
