package dev.ocellus.convert;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.convert.hf.HfFolder;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Metadata under {@code general.} that do not depend on the architecture. */
final class GeneralMetadata {
  private static final int MAX_CARD_LINES = 200;

  private GeneralMetadata() {}

  /** The model's name: what the configuration calls it, or the folder's name. */
  static String nameOf(HfFolder folder) {
    String name = folder.config().findString("_name_or_path").orElse("");
    boolean isId = !name.isBlank() && name.chars().filter(c -> c == '/').count() <= 1;
    if (isId && !name.startsWith(".") && !name.startsWith("/")) {
      return name.substring(name.indexOf('/') + 1);
    }
    return HfFolder.nameOf(folder.directory());
  }

  /**
   * @param parameters elements of all tensors, of experts those of one, or -1 to say nothing of the
   *     size
   * @param experts how many experts there are; 0 where there are none
   */
  static void write(GgufWriter out, Context context, long parameters, long experts)
      throws IOException {
    sampling(out, context.folder());
    out.string("general.name", context.modelName());
    if (parameters >= 0) {
      String label = sizeLabel(parameters);
      out.string("general.size_label", experts > 0 ? experts + "x" + label : label);
    }
    Optional<String> license = license(context.folder().file("README.md"));
    if (license.isPresent()) {
      out.string("general.license", license.get());
    }
  }

  /** What the model's makers recommend. */
  private static void sampling(GgufWriter out, HfFolder folder) throws IOException {
    JsonNode config = folder.json("generation_config.json");
    whole(out, "general.sampling.top_k", config.path("top_k"));
    real(out, "general.sampling.top_p", config.path("top_p"));
    real(out, "general.sampling.min_p", config.path("min_p"));
    real(out, "general.sampling.temp", config.path("temperature"));
    real(out, "general.sampling.penalty_repeat", config.path("repetition_penalty"));
  }

  private static void whole(GgufWriter out, String key, JsonNode value) {
    if (value.isIntegralNumber() && value.canConvertToInt()) {
      out.i32(key, value.asInt());
    }
  }

  private static void real(GgufWriter out, String key, JsonNode value) {
    if (value.isNumber()) {
      out.f32(key, (float) value.asDouble());
    }
  }

  /** Two digits at least and a unit: 1.0M, 140K, 7B. */
  static String sizeLabel(long parameters) {
    double scaled = parameters;
    String unit;
    if (parameters > 1e12) {
      scaled *= 1e-12;
      unit = "T";
    } else if (parameters > 1e9) {
      scaled *= 1e-9;
      unit = "B";
    } else if (parameters > 1e6) {
      scaled *= 1e-6;
      unit = "M";
    } else {
      scaled *= 1e-3;
      unit = "K";
    }
    String whole = String.valueOf((long) Math.rint(scaled));
    int digits = Math.max(2 - (whole.equals("0") ? 0 : whole.length()), 0);
    return String.format(Locale.ROOT, "%." + digits + "f", rounded(scaled, digits)) + unit;
  }

  /** Java's format rounds halves up, C's to even. */
  private static double rounded(double value, int digits) {
    return new BigDecimal(value).setScale(digits, RoundingMode.HALF_EVEN).doubleValue();
  }

  /** The license in the head of the model card. */
  private static Optional<String> license(Path card) throws IOException {
    if (!Files.isRegularFile(card) || Files.size(card) > 1 << 24) {
      return Optional.empty();
    }
    List<String> lines =
        new String(Files.readAllBytes(card), StandardCharsets.UTF_8)
            .lines()
            .limit(MAX_CARD_LINES)
            .toList();
    if (lines.isEmpty() || !lines.getFirst().equals("---")) {
      return Optional.empty();
    }
    for (String line : lines.subList(1, lines.size())) {
      if (line.equals("---")) {
        break;
      }
      if (line.startsWith("license:") && line.length() > 8) {
        String value = line.substring(8).strip();
        return value.isEmpty() || value.startsWith("[") ? Optional.empty() : Optional.of(value);
      }
    }
    return Optional.empty();
  }
}
