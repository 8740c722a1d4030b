package dev.ocellus.spark;

import dev.ocellus.OcellusException;
import org.jspecify.annotations.Nullable;

/**
 * A model is not on an executor, or is not the one that was asked for. It fails the job, as no row
 * could be right.
 */
public final class ModelException extends OcellusException {
  private static final long serialVersionUID = 1;

  ModelException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
