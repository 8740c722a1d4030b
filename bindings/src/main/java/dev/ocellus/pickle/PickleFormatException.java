package dev.ocellus.pickle;

import dev.ocellus.OcellusException;
import dev.ocellus.io.ForeignFile;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** A file is not a state dict of PyTorch, is damaged, or asks for more than a state dict needs. */
public final class PickleFormatException extends OcellusException {
  private static final long serialVersionUID = 1;

  private static final String AGAIN = "Download the checkpoint again if it should be whole.";

  /** The file is something else. */
  PickleFormatException(Path file, ForeignFile.Description foreign) {
    super(
        "%s: expected a PyTorch checkpoint, found %s. %s"
            .formatted(file, foreign.found(), foreign.remedy()));
  }

  PickleFormatException(Path file, String what, String expected, String found) {
    this(file, what, expected, found, AGAIN, null);
  }

  PickleFormatException(Path file, String what, String expected, String found, String remedy) {
    this(file, what, expected, found, remedy, null);
  }

  PickleFormatException(
      Path file,
      String what,
      String expected,
      String found,
      String remedy,
      @Nullable Throwable cause) {
    super(
        "%s: %s: expected %s, found %s. %s".formatted(file, what, expected, found, remedy), cause);
  }

  /** Short and without control characters, as it goes into messages. */
  static String quote(String s) {
    String start = s.length() > 80 ? s.substring(0, 80) + "…" : s;
    return "'" + start.replaceAll("\\p{Cntrl}", "\ufffd") + "'";
  }
}
