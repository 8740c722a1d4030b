package dev.ocellus.llama;

/** More tokens than a context has room for. */
public class ContextOverflowException extends LlamaException {
  private static final long serialVersionUID = 1;

  public ContextOverflowException(String message) {
    super(message);
  }
}
