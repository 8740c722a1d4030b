package dev.ocellus.tests.bench;

import dev.ocellus.search.IndexLocation;
import dev.ocellus.search.IndexUpdate;
import dev.ocellus.search.ProgressListener;
import dev.ocellus.search.UpdateOptions;
import dev.ocellus.search.UpdateReport;
import dev.ocellus.tests.Folders;
import dev.ocellus.vlm.embedding.DualEncoder;
import dev.ocellus.vlm.embedding.EmbeddingOptions;
import dev.ocellus.vlm.image.codec.ImageDecoder;
import dev.ocellus.vlm.vision.Tiles;
import java.awt.Color;
import java.awt.GradientPaint;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import javax.imageio.ImageIO;

/**
 * A folder of JPEGs: images a second of an index that is made, beside those of the encoder alone,
 * which gets the same images decoded and resized. Both in turn, in one process.
 */
public final class IndexBench {
  private static final int BATCH = 16;
  private static final int SHAPES = 40;

  private IndexBench() {}

  /**
   * {@code -m FILE -t THREADS -n IMAGES -r ROUNDS [--width W --height H]}; prints for each round
   * the images a second of both and their ratio, then the median of the ratios.
   */
  public static void main(String[] args) throws IOException {
    var options = new Options(args);
    int n = options.number("-n", 200);
    int rounds = options.number("-r", 5);
    Path folder = Files.createTempDirectory("ocellus-index-bench");
    var how = EmbeddingOptions.cpu(options.number("-t", 1));
    try (DualEncoder encoder = DualEncoder.open(options.path("-m"), how)) {
      draw(folder, n, options.number("--width", 1600), options.number("--height", 1200));
      List<Tiles> tiles = prepared(encoder, folder);
      encode(encoder, tiles.subList(0, Math.min(n, BATCH)));
      double[] ratios = new double[rounds];
      for (int i = 0; i < rounds; i++) {
        double alone;
        double index;
        if (i % 2 == 0) {
          alone = encode(encoder, tiles);
          index = index(encoder, folder, n);
        } else {
          index = index(encoder, folder, n);
          alone = encode(encoder, tiles);
        }
        ratios[i] = index / alone;
        System.out.printf(
            Locale.ROOT,
            "encoder %.1f images/s, index %.1f, ratio %.3f%n",
            alone,
            index,
            ratios[i]);
      }
      Arrays.sort(ratios);
      System.out.printf(
          Locale.ROOT,
          "median ratio %.3f (%.3f to %.3f)%n",
          ratios[rounds / 2],
          ratios[0],
          ratios[rounds - 1]);
    } finally {
      Folders.delete(folder);
    }
  }

  private static double encode(DualEncoder encoder, List<Tiles> tiles) {
    long begun = System.nanoTime();
    for (int i = 0; i < tiles.size(); i += BATCH) {
      encoder.embedPrepared(tiles.subList(i, Math.min(tiles.size(), i + BATCH)));
    }
    return tiles.size() / ((System.nanoTime() - begun) / 1e9);
  }

  private static double index(DualEncoder encoder, Path folder, int n) throws IOException {
    long begun = System.nanoTime();
    UpdateReport report =
        IndexUpdate.run(
            IndexLocation.inside(folder),
            encoder,
            "bench",
            UpdateOptions.defaults().withRebuild(),
            ProgressListener.NONE);
    if (report.nEncoded() != n) {
      throw new IllegalStateException("expected %d images, found %s".formatted(n, report));
    }
    return n / ((System.nanoTime() - begun) / 1e9);
  }

  private static List<Tiles> prepared(DualEncoder encoder, Path folder) throws IOException {
    List<Tiles> tiles = new ArrayList<>();
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.sorted().toList()) {
        tiles.add(encoder.prepare(ImageDecoder.decode(file)));
      }
    }
    return tiles;
  }

  private static void draw(Path folder, int n, int width, int height) throws IOException {
    for (int i = 0; i < n; i++) {
      var random = new SplittableRandom(i);
      BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
      Graphics2D g = image.createGraphics();
      g.setPaint(new GradientPaint(0, 0, color(random), width, height, color(random)));
      g.fillRect(0, 0, width, height);
      for (int shape = 0; shape < SHAPES; shape++) {
        g.setColor(color(random));
        g.fillOval(
            random.nextInt(width),
            random.nextInt(height),
            1 + random.nextInt(width / 4),
            1 + random.nextInt(height / 4));
      }
      g.dispose();
      ImageIO.write(image, "jpg", folder.resolve("%05d.jpg".formatted(i)).toFile());
    }
  }

  private static Color color(SplittableRandom random) {
    return new Color(random.nextInt(1 << 24));
  }
}
