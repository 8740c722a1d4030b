package dev.ocellus.quantize;

/** A tensor holds a value or a block scale that is infinite or not a number. */
public final class InvalidTensorDataException extends QuantizeException {
  private static final long serialVersionUID = 1;

  public InvalidTensorDataException(String message) {
    super(message);
  }
}
