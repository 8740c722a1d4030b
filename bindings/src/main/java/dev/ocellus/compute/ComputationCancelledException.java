package dev.ocellus.compute;

/** A computation was stopped by its {@link CancellationFlag}. */
public class ComputationCancelledException extends GgmlException {
  private static final long serialVersionUID = 1;

  public ComputationCancelledException(String message) {
    super(message);
  }
}
