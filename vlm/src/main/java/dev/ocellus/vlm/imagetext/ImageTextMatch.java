package dev.ocellus.vlm.imagetext;

/**
 * How well an image and a text fit.
 *
 * @param probability of a match, 0 to 1, where the text attends to the image: what BLIP calls image
 *     text matching (ITM)
 * @param noMatchLogit the logit of no match
 * @param matchLogit that of a match
 * @param cosine of the vectors of image and text, each for itself, -1 to 1: image text contrast
 *     (ITC)
 */
public record ImageTextMatch(
    double probability, float noMatchLogit, float matchLogit, double cosine) {
  static ImageTextMatch of(float[] logits, double cosine) {
    double probability = 1 / (1 + Math.exp((double) logits[0] - logits[1]));
    return new ImageTextMatch(probability, logits[0], logits[1], cosine);
  }
}
