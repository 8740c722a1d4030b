package dev.ocellus.quantize;

import dev.ocellus.OcellusException;

/** A file that cannot be quantized as asked. */
public class QuantizeException extends OcellusException {
  private static final long serialVersionUID = 1;

  public QuantizeException(String message) {
    super(message);
  }

  public QuantizeException(String message, Throwable cause) {
    super(message, cause);
  }
}
