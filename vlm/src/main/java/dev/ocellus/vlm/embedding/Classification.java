package dev.ocellus.vlm.embedding;

import java.util.List;
import java.util.stream.IntStream;

/** How well labels fit an image. */
public final class Classification {
  private final List<String> labels;
  private final float[] logits;
  private final float[] probabilities;

  Classification(List<String> labels, float[] logits, float[] probabilities) {
    this.labels = List.copyOf(labels);
    this.logits = logits;
    this.probabilities = probabilities;
  }

  /** The labels, in the order in which they were given. */
  public List<String> labels() {
    return labels;
  }

  /** Scaled cosines, in the order of the labels. */
  public float[] logits() {
    return logits.clone();
  }

  /**
   * Probabilities, in the order of the labels: of all together 1 for models like CLIP, each by
   * itself for models like SigLIP.
   */
  public float[] probabilities() {
    return probabilities.clone();
  }

  /** The label that fits best; of several the first. */
  public String best() {
    return labels.get(ranking()[0]);
  }

  /** Places of the labels, the best first. */
  public int[] ranking() {
    return IntStream.range(0, logits.length)
        .boxed()
        .sorted((a, b) -> Float.compare(logits[b], logits[a]))
        .mapToInt(Integer::intValue)
        .toArray();
  }
}
