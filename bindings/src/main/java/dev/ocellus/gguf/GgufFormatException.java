package dev.ocellus.gguf;

import dev.ocellus.OcellusException;
import java.nio.file.Path;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * A file is not a GGUF file, is damaged, or does not hold what was asked for. The message names the
 * file, the byte position where one is known, what was expected, what was found and what to do.
 */
public class GgufFormatException extends OcellusException {
  private static final long serialVersionUID = 1;

  /** Stands for "no position" in the constructors. */
  static final long NOWHERE = -1;

  private final String file;
  private final long position;
  private final String what;
  private final String expected;
  private final String found;
  private final String remedy;

  /**
   * @param file the file
   * @param position byte position in it, or {@link #NOWHERE}
   * @param what the part that is wrong
   * @param expected what should stand there
   * @param found what stands there
   * @param remedy what the user can do; may be empty
   */
  GgufFormatException(
      Path file, long position, String what, String expected, String found, String remedy) {
    this(file, position, what, expected, found, remedy, null);
  }

  GgufFormatException(
      Path file,
      long position,
      String what,
      String expected,
      String found,
      String remedy,
      @Nullable Throwable cause) {
    super(
        file
            + (position == NOWHERE ? "" : " at byte " + position)
            + ": "
            + what
            + ": expected "
            + expected
            + ", found "
            + found
            + "."
            + (remedy.isEmpty() ? "" : " " + remedy),
        cause);
    this.file = file.toString();
    this.position = position;
    this.what = what;
    this.expected = expected;
    this.found = found;
    this.remedy = remedy;
  }

  /** The file. */
  public Path file() {
    return Path.of(file);
  }

  /** The byte position in the file, where one is known. */
  public OptionalLong position() {
    return position == NOWHERE ? OptionalLong.empty() : OptionalLong.of(position);
  }

  /** The part of the file that is wrong. */
  public String what() {
    return what;
  }

  /** What should stand there. */
  public String expected() {
    return expected;
  }

  /** What stands there. */
  public String found() {
    return found;
  }

  /** What the user can do about it; empty where nothing is known. */
  public String remedy() {
    return remedy;
  }
}
