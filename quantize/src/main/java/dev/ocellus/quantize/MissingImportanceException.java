package dev.ocellus.quantize;

/** A type of very few bits is to be used for a tensor of which no importance is known. */
public final class MissingImportanceException extends QuantizeException {
  private static final long serialVersionUID = 1;

  public MissingImportanceException(String message) {
    super(message);
  }
}
