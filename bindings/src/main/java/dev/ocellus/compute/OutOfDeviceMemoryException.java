package dev.ocellus.compute;

/** A device has less free memory than a buffer needs. */
public class OutOfDeviceMemoryException extends GgmlException {
  private static final long serialVersionUID = 1;

  public OutOfDeviceMemoryException(String message) {
    super(message);
  }
}
