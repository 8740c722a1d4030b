package dev.ocellus.ggml;

import dev.ocellus.compute.GgmlException;

/** A model file lacks a tensor that its architecture needs. */
public class MissingWeightException extends GgmlException {
  private static final long serialVersionUID = 1;

  public MissingWeightException(String message) {
    super(message);
  }
}
