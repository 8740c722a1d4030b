package dev.ocellus.vlm.embedding;

import dev.ocellus.vlm.dual.Similarity;
import dev.ocellus.vlm.dual.TextTokens;
import dev.ocellus.vlm.image.RgbImage;
import java.util.ArrayList;
import java.util.List;

/**
 * Compares images with labels whose vectors are known. As long as its encoder is open; thread-safe.
 */
public final class ZeroShotClassifier {
  private static final String PLACE = "{}";

  private final DualEncoder encoder;
  private final List<String> labels;
  private final List<String> texts;
  private final int[] nDropped;
  private final List<float[]> vectors;

  private ZeroShotClassifier(DualEncoder encoder, List<String> labels, List<String> templates) {
    this.encoder = encoder;
    this.labels = List.copyOf(labels);
    texts = texts(labels, templates);
    List<TextTokens> tokens = encoder.tokenize(texts);
    nDropped = tokens.stream().mapToInt(TextTokens::nDropped).toArray();
    vectors = means(encoder.embedTokens(tokens), texts.size() / labels.size());
  }

  static ZeroShotClassifier of(DualEncoder encoder, List<String> labels, List<String> templates) {
    if (labels.isEmpty()) {
      throw new IllegalArgumentException("labels: expected at least one, found none");
    }
    return new ZeroShotClassifier(encoder, labels, checked(templates));
  }

  /**
   * Templates that {@link DualEncoder#classifier} takes, to find a mistake before a model is
   * loaded.
   *
   * @throws IllegalArgumentException if one has no {@code {}} for the label
   */
  public static List<String> checked(List<String> templates) {
    for (String template : templates) {
      if (!template.contains(PLACE)) {
        throw new IllegalArgumentException(
            "template '%s': expected {} where the label goes, such as 'a photo of a {}'"
                .formatted(template));
      }
    }
    return templates;
  }

  private static List<String> texts(List<String> labels, List<String> templates) {
    List<String> all = templates.isEmpty() ? List.of(PLACE) : templates;
    List<String> texts = new ArrayList<>();
    for (String label : labels) {
      all.forEach(template -> texts.add(template.replace(PLACE, label)));
    }
    return List.copyOf(texts);
  }

  /** Of several templates the mean of their vectors, as open_clip's zero-shot weights are made. */
  private static List<float[]> means(List<float[]> all, int nTemplates) {
    List<float[]> vectors = new ArrayList<>();
    for (int i = 0; i < all.size(); i += nTemplates) {
      List<float[]> ofLabel = all.subList(i, i + nTemplates);
      vectors.add(nTemplates == 1 ? ofLabel.getFirst() : Vectors.normalized(Vectors.mean(ofLabel)));
    }
    return vectors;
  }

  /** The labels, in the order in which they were given. */
  public List<String> labels() {
    return labels;
  }

  /** What was encoded: the labels in their templates, those of the first label first. */
  public List<String> texts() {
    return texts;
  }

  /** How many tokens were left out at the end of each of the {@link #texts}; usually 0. */
  public int[] nDropped() {
    return nDropped.clone();
  }

  /** How well the labels fit an image. */
  public Classification classify(RgbImage image) {
    return classify(encoder.embedImage(image));
  }

  /**
   * How well the labels fit an image.
   *
   * @param image its vector, of length 1
   * @throws IllegalArgumentException if it is of another dimension
   */
  public Classification classify(float[] image) {
    Similarity similarity = encoder.architecture().similarity();
    float[] logits = new float[vectors.size()];
    for (int i = 0; i < logits.length; i++) {
      logits[i] = similarity.logit(Vectors.dot(image, vectors.get(i)));
    }
    return new Classification(labels, logits, similarity.probabilities(logits));
  }
}
