package dev.ocellus.spark;

import dev.ocellus.vlm.embedding.Classification;
import dev.ocellus.vlm.embedding.ZeroShotClassifier;
import dev.ocellus.vlm.vision.Tiles;
import java.util.LinkedHashMap;
import java.util.Map;
import scala.jdk.javaapi.CollectionConverters;

/** Compares images with labels. */
final class ClassifyWorker implements RowWorker {
  private final VectorModel model;
  private final ZeroShotClassifier classifier;

  ClassifyWorker(VectorModel model, ZeroShotClassifier classifier) {
    this.model = model;
    this.classifier = classifier;
  }

  @Override
  public Object[] answer(ImageFile file, Seen seen) throws Exception {
    Tiles tiles = model.encoder().prepare(file.decode(seen));
    seen.requireWanted();
    Classification found = classifier.classify(model.embed(tiles));
    float[] probabilities = found.probabilities();
    Map<String, Float> byLabel = new LinkedHashMap<>();
    for (int i = 0; i < probabilities.length; i++) {
      byLabel.put(found.labels().get(i), probabilities[i]);
    }
    return new Object[] {
      found.best(),
      byLabel.get(found.best()),
      CollectionConverters.asScala(byLabel),
      EmbedWorker.sizes(tiles),
      EmbedWorker.tokens(tiles)
    };
  }
}
