package dev.ocellus.vlm.prompt;

import java.util.List;

/**
 * A conversation as the model sees it.
 *
 * @param text the rendered text, with the image markers in it
 * @param segments tokens and pictures in order
 * @param misplaced whether a place is not that of the picture or video whose turn it is
 */
public record Prompt(String text, List<Segment> segments, boolean misplaced) {
  public Prompt {
    segments = List.copyOf(segments);
  }

  /** How many pictures and videos have a place in it. */
  public int nImages() {
    return (int) segments.stream().filter(s -> s instanceof Segment.Image).count();
  }
}
