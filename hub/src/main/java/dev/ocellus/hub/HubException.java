package dev.ocellus.hub;

import dev.ocellus.OcellusException;
import org.jspecify.annotations.Nullable;

/** A model could not be had by its name. Nothing half written has the name of a file. */
public final class HubException extends OcellusException {
  private static final long serialVersionUID = 1;

  /** What a caller can tell apart. */
  public enum Kind {
    /** The text is no name of a model. */
    NAME,
    /** There is no such repository, revision, file or tag, or it is hidden from this token. */
    NOT_FOUND,
    /** The token is missing, wrong, or not allowed to read; or a licence has to be accepted. */
    NOT_ALLOWED,
    /** Several files fit, and nothing says which; or none does. */
    CHOICE,
    /** The server asks to come back later, and did so every time. */
    RATE_LIMITED,
    /** Nothing may be fetched, and the files are not there. */
    OFFLINE,
    /** No connection, or it broke too often. */
    NETWORK,
    /** The server answered against its own protocol. */
    PROTOCOL,
    /** What came has another hash or size than was announced. */
    DAMAGED,
    /** No room on the disk, or no permission to write. */
    DISK,
    /** The model is stored in a form that Ocellus cannot read. */
    UNSUPPORTED
  }

  private final Kind kind;

  HubException(Kind kind, String message) {
    this(kind, message, null);
  }

  HubException(Kind kind, String message, @Nullable Throwable cause) {
    super(message, cause);
    this.kind = kind;
  }

  /** What went wrong. */
  public Kind kind() {
    return kind;
  }
}
