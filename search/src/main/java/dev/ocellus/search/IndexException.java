package dev.ocellus.search;

import dev.ocellus.OcellusException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** An index cannot be used as asked; {@link #kind} says why in one word, the message in full. */
public class IndexException extends OcellusException {
  private static final long serialVersionUID = 1;

  /** What is wrong. */
  public enum Kind {
    /** There is none. */
    MISSING,
    /** Another process, or another update of this one, is writing it. */
    BUSY,
    /** It was made with another model, whose vectors cannot be compared. */
    OTHER_MODEL,
    /** Its files contradict themselves, or some of them are missing. */
    DAMAGED,
    /** A later version wrote it, or other files than those of an index are in its place. */
    UNKNOWN_FORMAT,
    /**
     * It could not be written, for example because the disk is full; what was there before is kept.
     */
    NOT_WRITTEN
  }

  private final Kind kind;
  private final transient Path index;

  IndexException(Kind kind, Path index, String message, @Nullable Throwable cause) {
    super("the index %s %s".formatted(index, message), cause);
    this.kind = kind;
    this.index = index;
  }

  /** What is wrong. */
  public Kind kind() {
    return kind;
  }

  /** The folder of the index. */
  public Path index() {
    return index;
  }
}
