package dev.ocellus.vlm.generation;

import dev.ocellus.OcellusException;
import dev.ocellus.Setting;
import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.vlm.codes.GanArchitecture;
import dev.ocellus.vlm.graph.GraphRun;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.model.ModelRegistry;
import java.io.IOException;
import java.nio.file.Path;

/**
 * A critic of adversarial training: one number for an image, higher for those like the images that
 * it was trained with. A discriminator of DCGAN, which ends in a sigmoid, gives a probability.
 *
 * <p>Thread-safe; one call is computed at a time.
 */
public final class Critic implements AutoCloseable {
  private static final String PIXELS = "pixels";

  private final Graphs<GanArchitecture> graphs;

  private Critic(Graphs<GanArchitecture> graphs) {
    this.graphs = graphs;
  }

  /**
   * Opens a GGUF file that {@code dev.ocellus.convert} makes of a checkpoint.
   *
   * @throws IOException if the file cannot be read
   * @throws dev.ocellus.vlm.model.WrongModelKindException if it is another kind of model
   * @throws NotFiniteException if the weights hold numbers that are not finite
   * @throws OcellusException if it is damaged, or a generator
   */
  public static Critic open(Path path, ComputeOptions options) throws IOException {
    Graphs<GanArchitecture> graphs =
        Graphs.open(path, options, 1, ModelRegistry::gan).requireFiniteWeights();
    if (graphs.architecture().generates()) {
      graphs.close();
      throw new OcellusException(
              "%s is a generator, which makes images and judges none; open it as such (NoiseGenerator)."
                  .formatted(path))
          .about(Setting.MODEL);
    }
    return new Critic(graphs);
  }

  /** The file. */
  public Path path() {
    return graphs.path();
  }

  /** Pixels of an image. */
  public ImageSize imageSize() {
    return graphs.architecture().images().size();
  }

  /** The number for an image, which is brought to the critic's size. */
  public double score(RgbImage image, CancellationFlag flag) {
    GanArchitecture gan = graphs.architecture();
    float[] pixels = gan.images().pixels(gan.images().fit(image));
    if (gan.channels() == 1) {
      pixels = gan.images().pixels(gray(gan.images().fit(image)));
    }
    int width = imageSize().width();
    int height = imageSize().height();
    float[] values;
    try (GraphRun run =
        graphs.start(
            "score",
            "an image",
            g ->
                g.output(
                    "score",
                    gan.forward().apply(g.input(PIXELS, width, height, gan.channels(), 1))))) {
      values = run.set(PIXELS, pixels, 0).compute(flag).get("score");
    }
    graphs.requireFinite(values, "the score");
    if (values.length != 1) {
      throw new ImageSizeException(
          "%s: expected one number for an image of %s, found %d. The image size of its metadata is not that of its layers."
              .formatted(path(), imageSize(), values.length));
    }
    return values[0];
  }

  /** As Pillow's {@code convert("L")}. */
  private static RgbImage gray(RgbImage image) {
    byte[] rgb = image.toByteArray();
    for (int i = 0; i < rgb.length; i += 3) {
      int sum = (rgb[i] & 0xFF) * 19595 + (rgb[i + 1] & 0xFF) * 38470 + (rgb[i + 2] & 0xFF) * 7471;
      byte luma = (byte) (sum + 0x8000 >> 16);
      rgb[i] = luma;
      rgb[i + 1] = luma;
      rgb[i + 2] = luma;
    }
    return RgbImage.wrap(image.width(), image.height(), rgb);
  }

  /** Frees everything; waits for what is being computed. */
  @Override
  public void close() {
    graphs.close();
  }
}
