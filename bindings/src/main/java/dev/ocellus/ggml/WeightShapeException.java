package dev.ocellus.ggml;

import dev.ocellus.compute.GgmlException;

/** A tensor of a model file has another shape or type than its architecture needs. */
public class WeightShapeException extends GgmlException {
  private static final long serialVersionUID = 1;

  public WeightShapeException(String message) {
    super(message);
  }
}
