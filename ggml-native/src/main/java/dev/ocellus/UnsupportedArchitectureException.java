package dev.ocellus;

/** A model of a kind that Ocellus does not know, or not in this role. */
public class UnsupportedArchitectureException extends OcellusException {
  private static final long serialVersionUID = 1;

  public UnsupportedArchitectureException(String message) {
    super(message);
  }
}
