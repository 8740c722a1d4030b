package dev.ocellus.vlm.generation;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.vlm.codes.PixelArchitecture;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.model.ModelRegistry;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A model that predicts the colour of each pixel from those before it, such as ImageGPT: it draws,
 * completes, and says how likely an image is.
 *
 * <pre>{@code
 * try (PixelModel gpt = PixelModel.open(Path.of("imagegpt.gguf"), ComputeOptions.defaults())) {
 *   int[] colours = gpt.colours(ImageDecoder.decode(Path.of("beach.jpg")));
 *   double bits = gpt.score(colours, flag).bitsPerDimension();
 *   int[] half = Arrays.copyOf(colours, colours.length / 2);
 *   RgbImage completed = gpt.image(gpt.draw(half, DrawOptions.seeded(7), listener, flag).get(0));
 * }
 * }</pre>
 *
 * <p>Thread-safe; one call is computed at a time.
 */
public final class PixelModel implements AutoCloseable {
  /** The first codes, one code, the whole for a likelihood, and the previous number of keys. */
  private static final int MAX_PLANS = 4;

  private final Graphs<PixelArchitecture> graphs;
  private final PriorRunner runner;

  private PixelModel(Graphs<PixelArchitecture> graphs) {
    this.graphs = graphs;
    runner = new PriorRunner(graphs, graphs.architecture().prior());
  }

  /**
   * Opens a GGUF file that {@code dev.ocellus.convert} makes of a checkpoint.
   *
   * @throws IOException if the file cannot be read
   * @throws dev.ocellus.vlm.model.WrongModelKindException if it is another kind of model
   * @throws dev.ocellus.OcellusException if it is damaged or of an unknown family
   */
  public static PixelModel open(Path path, ComputeOptions options) throws IOException {
    return new PixelModel(Graphs.open(path, options, MAX_PLANS, ModelRegistry::pixels));
  }

  /** The family, such as {@code imagegpt}. */
  public String family() {
    return graphs.architecture().name();
  }

  /** The file. */
  public Path path() {
    return graphs.path();
  }

  /** Pixels of an image. */
  public ImageSize imageSize() {
    return graphs.architecture().size();
  }

  /** Colours that the model knows. */
  public int nColours() {
    return graphs.architecture().prior().nCodes();
  }

  /** The nearest colour for each pixel of an image, which is brought to the model's size. */
  public int[] colours(RgbImage image) {
    PixelArchitecture model = graphs.architecture();
    float[] pixels = model.images().pixels(model.images().fit(image));
    float[] colours = model.colours();
    int plane = pixels.length / 3;
    int[] ids = new int[plane];
    for (int i = 0; i < plane; i++) {
      double nearest = Double.POSITIVE_INFINITY;
      for (int k = 0; k < colours.length / 3; k++) {
        double distance = 0;
        for (int c = 0; c < 3; c++) {
          double difference = (double) pixels[c * plane + i] - colours[3 * k + c];
          distance += difference * difference;
        }
        if (distance < nearest) {
          nearest = distance;
          ids[i] = k;
        }
      }
    }
    return ids;
  }

  /**
   * The image of colours.
   *
   * @param ids a number for each pixel
   */
  public RgbImage image(int[] ids) {
    requireImage(ids);
    PixelArchitecture model = graphs.architecture();
    float[] values = new float[3 * ids.length];
    for (int i = 0; i < ids.length; i++) {
      for (int c = 0; c < 3; c++) {
        values[c * ids.length + i] = model.colours()[3 * ids[i] + c];
      }
    }
    return model.images().image(values, 0, model.size().width(), model.size().height());
  }

  /**
   * The image of the first colours, for showing one that is not finished; gray elsewhere.
   *
   * @param ids a number for each pixel
   * @param done how many of them count
   */
  public RgbImage imagePartly(int[] ids, int done) {
    return UnfinishedImages.gray(image(ids), imageSize().width(), 1, done);
  }

  /** The likelihood of an image, as its nearest colours. */
  public ImageScore score(RgbImage image, CancellationFlag flag) {
    return score(colours(image), flag);
  }

  /**
   * The likelihood of colours.
   *
   * @param ids a number for each pixel
   * @throws ImageSizeException if there are not as many as pixels
   * @throws IllegalArgumentException if a number is none of the model's colours
   */
  public ImageScore score(int[] ids, CancellationFlag flag) {
    requireImage(ids);
    return runner.score(0, ids, flag);
  }

  /** Logits at every pixel, for comparing them with a reference. */
  public float[] logits(int[] ids) {
    requireImage(ids);
    return runner.logits(0, ids, new CancellationFlag());
  }

  /**
   * Draws images, or what is missing of one.
   *
   * @param given the first pixels; none for whole images
   * @return the colours of each image
   * @throws ImageSizeException if there are more than pixels
   */
  public List<int[]> draw(
      int[] given, DrawOptions options, DrawOptions.Listener listener, CancellationFlag flag) {
    int n = graphs.architecture().prior().nPositions();
    if (given.length > n) {
      throw new ImageSizeException(
          "given: expected at most the %d pixels of an image of %s, found %d"
              .formatted(n, imageSize(), given.length));
    }
    requireColours(given);
    int[][] drawn = runner.draw(new int[options.count()], given, options, listener, flag);
    return new ArrayList<>(List.of(drawn));
  }

  private void requireImage(int[] ids) {
    int n = graphs.architecture().prior().nPositions();
    if (ids.length != n) {
      throw new ImageSizeException(
          "ids: expected %d of them, one for each pixel of an image of %s, found %d"
              .formatted(n, imageSize(), ids.length));
    }
    requireColours(ids);
  }

  private void requireColours(int[] ids) {
    for (int id : ids) {
      if (id < 0 || id >= nColours()) {
        throw new IllegalArgumentException(
            "ids: expected numbers from 0 to %d, found %d".formatted(nColours() - 1, id));
      }
    }
  }

  /** Frees everything; waits for what is being computed. */
  @Override
  public void close() {
    graphs.close();
  }
}
