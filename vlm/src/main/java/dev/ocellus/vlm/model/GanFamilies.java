package dev.ocellus.vlm.model;

import dev.ocellus.ggml.ConvGeometry;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.codes.GanArchitecture;
import dev.ocellus.vlm.codes.PixelRange;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.image.ResizeFilter;
import dev.ocellus.vlm.nn.Conv2d;
import dev.ocellus.vlm.nn.ConvTranspose2d;
import dev.ocellus.vlm.vision.ConfigReader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * DCGAN (arXiv:1511.06434) and critics of WGAN (arXiv:1701.07875) in its shape: convolutions,
 * transposed in a generator, with an activation behind each. Batch norms are in the weights
 * already.
 */
final class GanFamilies {
  private static final int MAX_LAYERS = 32;
  private static final int MAX_SIDE = 1 << 12;

  static final Families<GanArchitecture> ALL =
      new Families<>(
          ModelKind.GAN,
          "architecture",
          metadata -> metadata.string("general.architecture", ""),
          Map.of("dcgan", GanFamilies::dcgan));

  private GanFamilies() {}

  private static GanArchitecture dcgan(GgufMetadata metadata, Weights weights) {
    ConfigReader c = new ConfigReader(metadata, "dcgan.");
    String role = metadata.string("dcgan.role");
    if (!role.equals("generator") && !role.equals("critic")) {
      throw c.invalid("role", "generator or critic", "'" + role + "'");
    }
    boolean generates = role.equals("generator");
    int channels = c.integer("channels", 1, 3);
    if (channels == 2) {
      throw c.invalid("channels", "1 or 3", "2");
    }
    List<UnaryOperator<Tensor>> layers = layers(metadata, c, weights, generates, channels);
    ImageSize size =
        new ImageSize(
            c.integer("image_width", 1, MAX_SIDE), c.integer("image_height", 1, MAX_SIDE));
    return new GanArchitecture(
        generates,
        generates ? latent(weights) : 0,
        channels,
        new PixelRange(
            size,
            PixelRange.Fit.STRETCH,
            1,
            c.filter(ResizeFilter.BICUBIC),
            c.normalize(Normalize.HALF)),
        x -> {
          Tensor y = x;
          for (UnaryOperator<Tensor> layer : layers) {
            y = layer.apply(y);
          }
          return y;
        });
  }

  /** A transposed kernel is [size, size, nOut, nIn]. */
  private static int latent(Weights weights) {
    long[] shape = weights.shape("layer.0.weight");
    return shape.length > 3 ? (int) shape[3] : 1;
  }

  private static List<UnaryOperator<Tensor>> layers(
      GgufMetadata metadata, ConfigReader c, Weights weights, boolean generates, int channels) {
    int n = c.integer("layer_count", 1, MAX_LAYERS);
    long[] strides = numbers(metadata, c, "strides", n);
    long[] paddings = numbers(metadata, c, "paddings", n);
    float slope = metadata.f32("dcgan.negative_slope", 0);
    UnaryOperator<Tensor> hidden = slope == 0 ? Tensor::relu : x -> x.leakyRelu(slope);
    UnaryOperator<Tensor> output = output(c, metadata.string("dcgan.output_act", ""));
    List<UnaryOperator<Tensor>> layers = new ArrayList<>();
    int nIn = generates ? latent(weights) : channels;
    for (int i = 0; i < n; i++) {
      Weights w = weights.at("layer").at(i);
      long[] shape = Arrays.copyOf(w.shape("weight"), 4);
      int nOut = Math.max(1, (int) shape[generates ? 2 : 3]);
      int size = (int) shape[0];
      int stride = (int) strides[i];
      int padding = (int) paddings[i];
      UnaryOperator<Tensor> conv =
          generates
              ? ConvTranspose2d.of(w, size, nIn, nOut, stride, padding)::forward
              : Conv2d.of(w, size, nIn, nOut, ConvGeometry.of(stride, padding))::forward;
      layers.add(conv);
      layers.add(i + 1 < n ? hidden : output);
      nIn = nOut;
    }
    return List.copyOf(layers);
  }

  private static UnaryOperator<Tensor> output(ConfigReader c, String name) {
    return switch (name) {
      case "" -> x -> x;
      case "tanh" -> Tensor::tanh;
      case "sigmoid" -> Tensor::sigmoid;
      default -> throw c.invalid("output_act", "tanh, sigmoid or none", "'" + name + "'");
    };
  }

  private static long[] numbers(GgufMetadata metadata, ConfigReader c, String key, int n) {
    long[] values = metadata.integers("dcgan." + key);
    if (values.length != n || Arrays.stream(values).anyMatch(v -> v < 0 || v > 64)) {
      throw c.invalid(key, n + " numbers from 0 to 64", Arrays.toString(values));
    }
    return values;
  }
}
