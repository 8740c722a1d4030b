package dev.ocellus.vlm.vision;

import dev.ocellus.OcellusException;
import dev.ocellus.UnsupportedArchitectureException;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.image.ResizeFilter;
import dev.ocellus.vlm.nn.Activation;
import java.util.Arrays;

/** Reads the numbers of a configuration and refuses those that no model can have. */
public final class ConfigReader {
  private final GgufMetadata metadata;
  private final String prefix;

  /**
   * Reads keys below a prefix.
   *
   * @param prefix with its dot, such as {@code clip.vision.}
   */
  public ConfigReader(GgufMetadata metadata, String prefix) {
    this.metadata = metadata;
    this.prefix = prefix;
  }

  /** The keys under {@code clip.vision.}, where an mmproj file describes its image encoder. */
  public static ConfigReader ofVision(GgufMetadata metadata) {
    return new ConfigReader(metadata, "clip.vision.");
  }

  /** A number from {@code min} to {@code max}, which must be there. */
  public int integer(String key, int min, int max) {
    return checked(key, metadata.int32(prefix + key), min, max);
  }

  /** A number from {@code min} to {@code max}, or {@code defaultValue} where the file has none. */
  public int integer(String key, int min, int max, int defaultValue) {
    return checked(key, metadata.int32(prefix + key, defaultValue), min, max);
  }

  private int checked(String key, int value, int min, int max) {
    if (value < min || value > max) {
      throw invalid(key, "a number from %d to %d".formatted(min, max), Integer.toString(value));
    }
    return value;
  }

  /** A list of 1 to 64 numbers from {@code min} to {@code max}, which must be there. */
  public int[] integers(String key, int min, int max) {
    long[] values = metadata.findIntegers(prefix + key).orElse(new long[0]);
    if (values.length < 1 || values.length > 64) {
      throw invalid(key, "a list of 1 to 64 numbers", values.length + " numbers");
    }
    int[] out = new int[values.length];
    for (int i = 0; i < out.length; i++) {
      if (values[i] < min || values[i] > max) {
        throw invalid(key, "numbers from %d to %d".formatted(min, max), Arrays.toString(values));
      }
      out[i] = (int) values[i];
    }
    return out;
  }

  /** The same of a known length. */
  public int[] integers(String key, int min, int max, int length) {
    int[] values = integers(key, min, max);
    if (values.length != length) {
      throw invalid(key, length + " numbers", Arrays.toString(values));
    }
    return values;
  }

  /** A finite number above 0, or {@code defaultValue} where the file has none. */
  public float positive(String key, float defaultValue) {
    float value = metadata.f32(prefix + key, defaultValue);
    if (!(value > 0) || Float.isInfinite(value)) {
      throw invalid(key, "a finite number above 0", Float.toString(value));
    }
    return value;
  }

  /** A rate above 0 and up to 100, as its decimals say it; or {@code defaultValue}. */
  public double rate(String key, double defaultValue) {
    if (!metadata.contains(prefix + key)) {
      return defaultValue;
    }
    float value = positive(key, 1);
    if (value > 100) {
      throw invalid(key, "a number above 0, at most 100", Float.toString(value));
    }
    return Double.parseDouble(Float.toString(value));
  }

  /** A finite number from 0 on, as its decimals say it; NaN where the file has none. */
  public double shift(String key) {
    if (!metadata.contains(prefix + key)) {
      return Double.NaN;
    }
    float value = metadata.f32(prefix + key, 0);
    if (!(value >= 0) || Float.isInfinite(value)) {
      throw invalid(key, "a finite number from 0", Float.toString(value));
    }
    return Double.parseDouble(Float.toString(value));
  }

  /**
   * How pixels are normalized: {@code image_mean} and {@code image_std}, three numbers each, or
   * those of {@code defaultValue} where the file has none.
   */
  public Normalize normalize(Normalize defaultValue) {
    return Normalize.of(
        perChannel("image_mean", 0, 1, defaultValue.mean()),
        perChannel("image_std", 1e-3, 1e3, defaultValue.std()));
  }

  /** Three numbers from {@code min} to {@code max}, one for each channel. */
  private double[] perChannel(String key, double min, double max, double[] defaultValue) {
    float[] values = metadata.findFloats(prefix + key).orElse(null);
    if (values == null) {
      return defaultValue;
    }
    boolean ok = values.length == 3;
    double[] result = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      result[i] = values[i];
      ok &= values[i] >= min && values[i] <= max;
    }
    if (!ok) {
      throw invalid(
          key, "three numbers from %s to %s".formatted(min, max), Arrays.toString(values));
    }
    return result;
  }

  /**
   * The filter that images are resized with: {@code image_resample} is its number in Pillow, as
   * {@code resample} of a preprocessor_config.json; not 0, the nearest pixel.
   */
  public ResizeFilter filter(ResizeFilter defaultValue) {
    return ResizeFilter.ofPillowCode(integer("image_resample", 1, 5, defaultValue.pillowCode()));
  }

  /**
   * As {@link #filter}, where the reference resizes with torchvision, which has three filters.
   *
   * @throws UnsupportedArchitectureException if it is another one
   */
  public ResizeFilter torchFilter(ResizeFilter defaultValue) {
    ResizeFilter filter = filter(defaultValue);
    return switch (filter) {
      case BILINEAR, BICUBIC, LANCZOS -> filter;
      default ->
          throw new UnsupportedArchitectureException(
              "%simage_resample: %d is not known for this family; known are 1 (Lanczos), 2 (bilinear), 3 (bicubic)"
                  .formatted(prefix, filter.pillowCode()));
    };
  }

  /**
   * The activation of the feed-forward blocks: {@code hidden_act} as transformers calls it, which
   * tells the forms of GELU apart.
   */
  public Activation activation(Activation defaultValue) {
    String name = metadata.string(prefix + "hidden_act", "");
    return switch (name) {
      case "" -> defaultValue;
      case "gelu" -> Activation.GELU;
      case "gelu_pytorch_tanh", "gelu_new" -> Activation.GELU_TANH;
      case "quick_gelu" -> Activation.QUICK_GELU;
      case "silu" -> Activation.SILU;
      case "relu" -> Activation.RELU;
      default ->
          throw new UnsupportedArchitectureException(
              "%shidden_act: '%s' is not known; known are gelu, gelu_pytorch_tanh, gelu_new, quick_gelu, silu, relu"
                  .formatted(prefix, name));
    };
  }

  /** What to throw for a value that no model can have. */
  public OcellusException invalid(String key, String expected, String found) {
    return new InvalidConfigException(
        "%s%s: expected %s, found %s. The file is damaged or was converted wrongly."
            .formatted(prefix, key, expected, found));
  }
}
