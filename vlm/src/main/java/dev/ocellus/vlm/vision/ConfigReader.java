package dev.ocellus.vlm.vision;

import dev.ocellus.OcellusException;
import dev.ocellus.UnsupportedArchitectureException;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.image.ResizeFilter;
import dev.ocellus.vlm.nn.Activation;
import java.util.Arrays;

/** Reads the numbers of a configuration and refuses those that no model can have. */
public final class ConfigReader {
  private final GgufMetadata metadata;
  private final String prefix;

  public ConfigReader(GgufMetadata metadata, String prefix) {
    this.metadata = metadata;
    this.prefix = prefix;
  }

  /** A number between {@code least} and {@code most}, which must be there. */
  public int integer(String key, int least, int most) {
    return checked(key, metadata.int32(prefix + key), least, most);
  }

  /** A number between {@code least} and {@code most}, or {@code other} where the file has none. */
  public int integer(String key, int least, int most, int other) {
    return checked(key, metadata.int32(prefix + key, other), least, most);
  }

  private int checked(String key, int value, int least, int most) {
    if (value < least || value > most) {
      throw invalid(key, "a number from %d to %d".formatted(least, most), Integer.toString(value));
    }
    return value;
  }

  /** A finite number above 0, or {@code other} where the file has none. */
  public float positive(String key, float other) {
    float value = metadata.f32(prefix + key, other);
    if (!(value > 0) || Float.isInfinite(value)) {
      throw invalid(key, "a finite number above 0", Float.toString(value));
    }
    return value;
  }

  /** Three numbers between {@code least} and {@code most}, one for each colour. */
  public double[] perChannel(String key, double least, double most, double[] other) {
    float[] values = metadata.findFloats(prefix + key).orElse(null);
    if (values == null) {
      return other;
    }
    boolean ok = values.length == 3;
    double[] result = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      result[i] = values[i];
      ok &= values[i] >= least && values[i] <= most;
    }
    if (!ok) {
      throw invalid(
          key, "three numbers from %s to %s".formatted(least, most), Arrays.toString(values));
    }
    return result;
  }

  /**
   * The filter that images are resized with: {@code image_resample} is its number in Pillow, as
   * {@code resample} of a preprocessor_config.json; not 0, the nearest pixel.
   */
  public ResizeFilter filter(ResizeFilter other) {
    return ResizeFilter.ofPillowCode(integer("image_resample", 1, 5, other.pillowCode()));
  }

  /**
   * The activation of the feed-forward blocks: {@code hidden_act} as transformers calls it, which
   * tells the forms of GELU apart.
   */
  public Activation activation(Activation other) {
    String name = metadata.string(prefix + "hidden_act", "");
    return switch (name) {
      case "" -> other;
      case "gelu" -> Activation.GELU;
      case "gelu_pytorch_tanh", "gelu_new" -> Activation.GELU_TANH;
      case "quick_gelu" -> Activation.QUICK_GELU;
      case "silu" -> Activation.SILU;
      default ->
          throw new UnsupportedArchitectureException(
              "%shidden_act: '%s' is not known; known are gelu, gelu_pytorch_tanh, gelu_new, quick_gelu, silu"
                  .formatted(prefix, name));
    };
  }

  public OcellusException invalid(String key, String expected, String found) {
    return new InvalidConfigException(
        "%s%s: expected %s, found %s. The file is damaged or was converted wrongly."
            .formatted(prefix, key, expected, found));
  }
}
