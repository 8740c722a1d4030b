package dev.ocellus.vlm.prompt;

import java.util.List;

/**
 * A conversation as the model sees it.
 *
 * @param text the rendered text, with the image markers in it
 * @param segments tokens and pictures in order
 */
public record Prompt(String text, List<Segment> segments) {
  public Prompt {
    segments = List.copyOf(segments);
  }

  /** How many pictures have a place in it. */
  public int nImages() {
    return (int) segments.stream().filter(s -> s instanceof Segment.Image).count();
  }
}
