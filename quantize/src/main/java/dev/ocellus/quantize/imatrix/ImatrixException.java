package dev.ocellus.quantize.imatrix;

import dev.ocellus.OcellusException;

/** An importance matrix that cannot be read, gathered, merged, or used. */
public final class ImatrixException extends OcellusException {
  private static final long serialVersionUID = 1;

  ImatrixException(String message) {
    super(message);
  }
}
