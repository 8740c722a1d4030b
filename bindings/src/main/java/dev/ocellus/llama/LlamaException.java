package dev.ocellus.llama;

import dev.ocellus.OcellusException;

/** A model that libllama cannot load, or a call that it cannot carry out. */
public class LlamaException extends OcellusException {
  private static final long serialVersionUID = 1;

  public LlamaException(String message) {
    super(message);
  }
}
