package dev.ocellus.vlm.generation;

import dev.ocellus.OcellusException;
import dev.ocellus.Setting;
import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.vlm.codes.GanArchitecture;
import dev.ocellus.vlm.graph.GraphRun;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.model.ModelRegistry;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;

/**
 * A generator of adversarial training: an image of noise, in one go.
 *
 * <pre>{@code
 * try (NoiseGenerator gan = NoiseGenerator.open(Path.of("gan.gguf"), ComputeOptions.defaults())) {
 *   float[] a = gan.noise(7);
 *   RgbImage image = gan.generate(List.of(a), new CancellationFlag()).get(0).image();
 *   List<float[]> between = NoiseGenerator.between(a, gan.noise(8), 10);
 * }
 * }</pre>
 *
 * <p>Thread-safe; one call is computed at a time.
 */
public final class NoiseGenerator implements AutoCloseable {
  private final Graphs<GanArchitecture> graphs;

  private NoiseGenerator(Graphs<GanArchitecture> graphs) {
    this.graphs = graphs;
  }

  /**
   * Opens a GGUF file that {@code dev.ocellus.convert} makes of a checkpoint.
   *
   * @throws IOException if the file cannot be read
   * @throws dev.ocellus.vlm.model.WrongModelKindException if it is another kind of model
   * @throws NotFiniteException if the weights hold numbers that are not finite
   * @throws OcellusException if it is damaged, or a critic
   */
  public static NoiseGenerator open(Path path, ComputeOptions options) throws IOException {
    Graphs<GanArchitecture> graphs =
        Graphs.open(path, options, 2, ModelRegistry::gan).requireFiniteWeights();
    if (!graphs.architecture().generates()) {
      graphs.close();
      throw new OcellusException(
              "%s is a critic, which judges images; open it as such (Critic).".formatted(path))
          .about(Setting.MODEL);
    }
    return new NoiseGenerator(graphs);
  }

  /** The file. */
  public Path path() {
    return graphs.path();
  }

  /** Numbers of noise for an image. */
  public int latent() {
    return graphs.architecture().latent();
  }

  /** Pixels of an image. */
  public ImageSize imageSize() {
    return graphs.architecture().images().size();
  }

  /** Normally distributed noise, the same for a seed on every machine. */
  public float[] noise(long seed) {
    // Random's numbers are specified, but those of seeds that are near are near, too
    Random random = new Random(new SplittableRandom(seed).nextLong());
    float[] z = new float[latent()];
    for (int i = 0; i < z.length; i++) {
      z[i] = (float) random.nextGaussian();
    }
    return z;
  }

  /**
   * Noise from one to another along the arc between them, on which lengths stay usual.
   *
   * @param count how many, both ends included; at least 2
   */
  public static List<float[]> between(float[] a, float[] b, int count) {
    if (a.length != b.length || count < 2) {
      throw new IllegalArgumentException(
          "between: expected noise of one length and a count of at least 2, found %d, %d and %d"
              .formatted(a.length, b.length, count));
    }
    double cosine = Math.clamp(dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b)), -1, 1);
    double angle = Math.acos(cosine);
    List<float[]> all = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      double t = (double) i / (count - 1);
      boolean straight = !(Math.sin(angle) > 1e-6);
      double left = straight ? 1 - t : Math.sin((1 - t) * angle) / Math.sin(angle);
      double right = straight ? t : Math.sin(t * angle) / Math.sin(angle);
      float[] z = new float[a.length];
      for (int k = 0; k < z.length; k++) {
        z[k] = (float) (left * a[k] + right * b[k]);
      }
      all.add(z);
    }
    return all;
  }

  private static double dot(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (double) a[i] * b[i];
    }
    return sum;
  }

  /**
   * The images of noise, in one batch.
   *
   * @param noise {@link #latent} numbers each
   * @throws ImageSizeException if one has another number
   */
  public List<DecodedImage> generate(List<float[]> noise, CancellationFlag flag) {
    GanArchitecture gan = graphs.architecture();
    int n = noise.size();
    float[] all = new float[Math.multiplyExact(n, gan.latent())];
    for (int i = 0; i < n; i++) {
      if (noise.get(i).length != gan.latent()) {
        throw new ImageSizeException(
            "noise: expected %d numbers for an image, found %d"
                .formatted(gan.latent(), noise.get(i).length));
      }
      System.arraycopy(noise.get(i), 0, all, i * gan.latent(), gan.latent());
    }
    float[] values;
    try (GraphRun run =
        graphs.start(
            List.of("generate", n),
            n + " images",
            g -> g.output("pixels", gan.forward().apply(g.input("z", 1, 1, gan.latent(), n))))) {
      values = run.set("z", all).compute(flag).get("pixels");
    }
    graphs.requireFinite(values, "a pixel");
    return images(values, n);
  }

  private List<DecodedImage> images(float[] values, int n) {
    GanArchitecture gan = graphs.architecture();
    int width = imageSize().width();
    int height = imageSize().height();
    int plane = width * height;
    if (values.length != n * plane * gan.channels()) {
      throw new ImageSizeException(
          "%s: expected images of %s, as its metadata say, found %d pixels"
              .formatted(path(), imageSize(), values.length / n / gan.channels()));
    }
    List<DecodedImage> out = new ArrayList<>();
    for (int i = 0; i < n; i++) {
      float[] own = new float[3 * plane];
      for (int c = 0; c < 3; c++) {
        int from = gan.channels() == 3 ? (3 * i + c) * plane : i * plane;
        System.arraycopy(values, from, own, c * plane, plane);
      }
      out.add(new DecodedImage(own, gan.images().image(own, 0, width, height)));
    }
    return out;
  }

  /** Frees everything; waits for what is being computed. */
  @Override
  public void close() {
    graphs.close();
  }
}
