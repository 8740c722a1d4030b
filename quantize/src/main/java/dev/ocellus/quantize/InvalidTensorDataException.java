package dev.ocellus.quantize;

/** A tensor holds a value or a block scale that is not finite, or too large for its new type. */
public final class InvalidTensorDataException extends QuantizeException {
  private static final long serialVersionUID = 1;

  public InvalidTensorDataException(String message) {
    super(message);
  }
}
