package dev.ocellus.tests.synthetic;

import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.gguf.TensorType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;

/**
 * Writes GGUF models with seeded random weights, in the shapes of real ones: what is measured with
 * them holds for the real ones, and nothing has to be downloaded. The same arguments give the same
 * bytes.
 *
 * <pre>
 * SyntheticModels --text 0.5b|wide --out text.gguf [--type f16|f32|q8_0] [--seed N]
 * SyntheticModels --mmproj vit-l-336|vit-l-336-anyres|siglip-512|qwen2.5-vl --out mmproj.gguf
 * </pre>
 */
public final class SyntheticModels {
  private static final long SEED = 20_240_601;

  private SyntheticModels() {}

  /**
   * Writes a Qwen2 text model.
   *
   * @param preset {@code 0.5b}, {@code wide} or {@code tiny}
   * @param type of the matrices: F32, F16 or Q8_0
   * @throws IllegalArgumentException if there is no such preset or type
   */
  public static void writeText(String preset, TensorType type, long seed, Path file)
      throws IOException {
    find(TextPreset.BY_NAME, preset).model(type, seed).write(file);
  }

  /**
   * Writes an image encoder with its projector. What converters keep in F32 (norms, biases, the CLS
   * token) is in F32, the patch kernel and the positions in F16.
   *
   * @param preset {@code vit-l-336}, {@code vit-l-336-anyres}, {@code siglip-512} or {@code
   *     qwen2.5-vl}, which fit the text model {@code 0.5b}, or {@code tiny}, {@code siglip-tiny} or
   *     {@code qwen2.5-vl-tiny}, which fit {@code tiny}
   * @param type of the matrices: F32, F16 or Q8_0
   * @throws IllegalArgumentException if there is no such preset or type
   */
  public static void writeMmproj(String preset, TensorType type, long seed, Path file)
      throws IOException {
    find(MmprojPreset.BY_NAME, preset).model(type, seed).write(file);
  }

  private static <T> T find(Map<String, T> presets, String name) {
    T preset = presets.get(name);
    if (preset == null) {
      throw new IllegalArgumentException(
          "preset: expected one of %s, found %s".formatted(new TreeSet<>(presets.keySet()), name));
    }
    return preset;
  }

  /** See the class. */
  public static void main(String[] args) throws IOException {
    Map<String, String> options = options(args);
    String out = options.get("--out");
    String text = options.get("--text");
    String mmproj = options.get("--mmproj");
    if (out == null || (text == null) == (mmproj == null)) {
      throw new IllegalArgumentException(
          "expected --out FILE and either --text PRESET or --mmproj PRESET");
    }
    var type = TensorType.valueOf(options.getOrDefault("--type", "f16").toUpperCase(Locale.ROOT));
    long seed = Long.parseLong(options.getOrDefault("--seed", Long.toString(SEED)));
    GgufWriter model =
        text != null
            ? find(TextPreset.BY_NAME, text).model(type, seed)
            : find(MmprojPreset.BY_NAME, java.util.Objects.requireNonNull(mmproj))
                .model(type, seed);
    model.write(Path.of(out));
  }

  private static Map<String, String> options(String... args) {
    Map<String, String> options = new HashMap<>();
    for (int i = 0; i + 1 < args.length; i += 2) {
      options.put(args[i], args[i + 1]);
    }
    if (args.length % 2 != 0) {
      throw new IllegalArgumentException(
          "every option takes a value; found " + String.join(" ", args));
    }
    return options;
  }
}
