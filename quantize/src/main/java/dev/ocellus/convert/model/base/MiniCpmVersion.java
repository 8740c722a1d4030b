package dev.ocellus.convert.model.base;

import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.hf.HfConfig;
import java.util.Map;

/**
 * A version of MiniCPM-V, of those whose code is not in transformers.
 *
 * @param number by which files name it
 * @param type {@code model_type} of its language model's class
 */
public record MiniCpmVersion(int number, String type) {
  private static final Map<String, MiniCpmVersion> VERSIONS =
      Map.of(
          "2.6", new MiniCpmVersion(3, "qwen2"),
          "4.0", new MiniCpmVersion(5, "llama"),
          "4.5", new MiniCpmVersion(6, "qwen3"));

  /**
   * The version as a configuration writes it.
   *
   * @throws ConversionException if it is none of those whose code is known
   */
  public static MiniCpmVersion of(HfConfig root) {
    var said = root.find("version");
    String name = said == null ? "" : said.asText();
    MiniCpmVersion version = VERSIONS.get(name);
    if (version == null) {
      throw root.invalid(
          "version",
          "2.6, 4.0 or 4.5, whose code is known",
          name.isEmpty() ? "nothing" : "'" + name + "'");
    }
    return version;
  }
}
