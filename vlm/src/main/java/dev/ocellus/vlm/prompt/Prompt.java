package dev.ocellus.vlm.prompt;

import java.util.List;

/**
 * A conversation as the model sees it.
 *
 * @param text the rendered text, with the image markers in it
 * @param segments tokens and images in order
 * @param misplaced whether a place is not that of the image or video whose turn it is
 * @param end what the template wrote last, behind everything from outside: it begins the answer
 */
public record Prompt(String text, List<Segment> segments, boolean misplaced, String end) {
  public Prompt {
    segments = List.copyOf(segments);
  }

  /** The same with another end. */
  public Prompt withEnd(String end) {
    return new Prompt(text, segments, misplaced, end);
  }

  /** How many images and videos have a place in it. */
  public int nImages() {
    return (int) segments.stream().filter(s -> s instanceof Segment.Image).count();
  }
}
