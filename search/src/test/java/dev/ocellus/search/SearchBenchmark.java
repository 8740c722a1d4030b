package dev.ocellus.search;

import dev.ocellus.vlm.embedding.Vectors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Random;

/**
 * The time of a search among many vectors; docs/search.md has the numbers. Arguments: how many,
 * their dimension, a folder that is not there yet.
 *
 * <p>The vectors lie in clusters, as those of images do, and queries beside them.
 */
public final class SearchBenchmark {
  private static final int CLUSTERS = 1_000;
  private static final int QUERIES = 500;

  private SearchBenchmark() {}

  public static void main(String[] args) throws IOException {
    int n = Integer.parseInt(args[0]);
    int dimension = Integer.parseInt(args[1]);
    IndexLocation location = IndexLocation.inside(Files.createDirectory(Path.of(args[2])));
    float[][] centers = new float[CLUSTERS][];
    for (int i = 0; i < CLUSTERS; i++) {
      centers[i] = near(new float[dimension], 1, i);
    }
    long begun = System.nanoTime();
    IndexModel model = new IndexModel("benchmark", "benchmark", dimension);
    try (IndexStore store = IndexStore.open(location, model, false)) {
      for (int i = 0; i < n; i++) {
        Entry entry = new Entry("folder/image-%06d.jpg".formatted(i), i, i, "" + i, 640, 480, null);
        store.put(entry, near(centers[i % CLUSTERS], 1, n + i));
      }
      store.commit();
    }
    print("written", begun);
    begun = System.nanoTime();
    try (ImageIndex index = ImageIndex.open(location)) {
      print("opened", begun);
      double[] millis = new double[QUERIES];
      int found = 0;
      for (int q = 0; q < QUERIES; q++) {
        float[] query = near(centers[q % CLUSTERS], 1, -1L - q);
        begun = System.nanoTime();
        var hits = index.search(query, 10);
        millis[q] = (System.nanoTime() - begun) / 1e6;
        if (q < 50) {
          var all = index.nearestOfAll(query, 10).stream().map(d -> d.doc).toList();
          found += (int) index.nearest(query, 10).stream().filter(d -> all.contains(d.doc)).count();
        }
        if (hits.size() != 10) {
          throw new IllegalStateException("expected 10 hits, found " + hits.size());
        }
      }
      System.out.printf(
          Locale.ROOT,
          "first search %.1f ms, recall of the best ten %.3f%n",
          millis[0],
          found / 500.0);
      Arrays.sort(millis, QUERIES / 2, QUERIES);
      System.out.printf(
          Locale.ROOT,
          "the second half of %d searches: median %.2f ms, 99 of 100 within %.2f ms%n",
          QUERIES,
          millis[QUERIES * 3 / 4],
          millis[QUERIES - QUERIES / 200]);
    }
  }

  private static void print(String what, long since) {
    System.out.printf(Locale.ROOT, "%s in %.2f s%n", what, (System.nanoTime() - since) / 1e9);
  }

  private static float[] near(float[] center, double noise, long seed) {
    Random random = new Random(seed);
    float[] vector = new float[center.length];
    for (int i = 0; i < vector.length; i++) {
      vector[i] = (float) (center[i] + noise * random.nextGaussian() / Math.sqrt(center.length));
    }
    return Vectors.normalized(vector);
  }
}
