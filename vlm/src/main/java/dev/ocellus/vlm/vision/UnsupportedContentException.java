package dev.ocellus.vlm.vision;

import dev.ocellus.OcellusException;

/** A message has something that this model cannot take, such as a video. */
public class UnsupportedContentException extends OcellusException {
  private static final long serialVersionUID = 1;

  public UnsupportedContentException(String message) {
    super(message);
  }

  static UnsupportedContentException noVideo(VisionArchitecture architecture) {
    return new UnsupportedContentException(
        "Models of the family %s take no videos. Give some frames as images instead."
            .formatted(architecture.name()));
  }
}
