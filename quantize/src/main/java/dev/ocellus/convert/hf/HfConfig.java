package dev.ocellus.convert.hf;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.convert.common.ConversionException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * A configuration, or a section of one. What a file leaves out has the value that the configuration
 * class of transformers gives it ({@link ClassDefaults}); an explicit null counts as left out
 * without a default.
 */
public final class HfConfig {
  private final Path file;
  private final String at;
  private final ObjectNode node;
  private final @Nullable JsonNode defaults;

  HfConfig(Path file, String at, ObjectNode node, @Nullable JsonNode defaults) {
    this.file = file;
    this.at = at;
    this.node = node;
    this.defaults = defaults;
  }

  /** The whole of a file. */
  public static HfConfig of(Path file, ObjectNode node) {
    return new HfConfig(file, "", node, ClassDefaults.of(node.path("model_type").asText()));
  }

  /** The file that this comes from, for messages. */
  public Path file() {
    return file;
  }

  /** {@code model_type}, or an empty string. */
  public String modelType() {
    return node.path("model_type").asText("");
  }

  /** {@code architectures[0]}, if the section names one. */
  public Optional<String> architecture() {
    JsonNode first = node.path("architectures").path(0);
    return first.isTextual() ? Optional.of(first.asText()) : Optional.empty();
  }

  /** The value of a key, or null where neither the file nor the class has one. */
  public @Nullable JsonNode find(String key) {
    JsonNode value = node.get(key);
    if (value == null && defaults != null) {
      value = defaults.get(key);
    }
    return value == null || value.isNull() ? null : value;
  }

  /** Whether the file itself says something about the key. */
  public boolean says(String key) {
    JsonNode value = node.get(key);
    return value != null && !value.isNull();
  }

  /** The keys that the file itself has. */
  public Set<String> keys() {
    Set<String> keys = new TreeSet<>();
    node.fieldNames().forEachRemaining(keys::add);
    return keys;
  }

  /** The same settings in other words; messages go on to name the file and this place in it. */
  public HfConfig reworded(ObjectNode words) {
    return new HfConfig(file, at, words, null);
  }

  /** A nested section; {@code classType} is its class where it does not name one. */
  public Optional<HfConfig> findSection(String key, String classType) {
    if (!(node.get(key) instanceof ObjectNode section)) {
      return Optional.empty();
    }
    String type = section.path("model_type").asText(classType);
    JsonNode d = ClassDefaults.of(type);
    return Optional.of(
        new HfConfig(file, at + key + ".", section, d != null ? d : ClassDefaults.of(classType)));
  }

  /** A nested section that must be there. */
  public HfConfig section(String key, String classType) {
    return findSection(key, classType).orElseThrow(() -> missing(key, "an object"));
  }

  /** This section, with the keys of another under it, as old files spread them over both. */
  public HfConfig over(HfConfig outer) {
    ObjectNode merged = outer.node.deepCopy();
    merged.remove(List.of("model_type", "architectures"));
    merged.setAll(node);
    return new HfConfig(file, at, merged, defaults);
  }

  /** The same with another class's defaults. */
  public HfConfig as(String classType) {
    return new HfConfig(file, at, node, ClassDefaults.of(classType));
  }

  /** An integer of 0 to 2^31 - 1; the first key that is there counts. */
  public OptionalInt findInteger(String... keys) {
    for (String key : keys) {
      JsonNode v = find(key);
      if (v != null) {
        return OptionalInt.of(integer(key, v));
      }
    }
    return OptionalInt.empty();
  }

  private int integer(String key, JsonNode v) {
    boolean whole =
        v.isIntegralNumber() || (v.isNumber() && v.doubleValue() == Math.rint(v.doubleValue()));
    if (!whole || !v.canConvertToInt() || v.intValue() < 0) {
      throw invalid(key, "an integer from 0 to 2147483647", shown(v));
    }
    return v.intValue();
  }

  /** An integer that must be there and be at least 1. */
  public int integer(String... keys) {
    int value =
        findInteger(keys).orElseThrow(() -> missing(String.join(" or ", keys), "an integer"));
    if (value < 1) {
      throw invalid(keys[0], "an integer from 1", Integer.toString(value));
    }
    return value;
  }

  /** An integer or another. */
  public int integerOr(String key, int defaultValue) {
    return findInteger(key).orElse(defaultValue);
  }

  /** A finite number; the first key that is there counts. */
  public OptionalDouble findReal(String... keys) {
    for (String key : keys) {
      JsonNode v = find(key);
      if (v != null) {
        if (!v.isNumber() || !Double.isFinite(v.doubleValue())) {
          throw invalid(key, "a finite number", shown(v));
        }
        return OptionalDouble.of(v.doubleValue());
      }
    }
    return OptionalDouble.empty();
  }

  /** A number that must be there. */
  public double real(String... keys) {
    return findReal(keys).orElseThrow(() -> missing(String.join(" or ", keys), "a number"));
  }

  /** A string, if there is one. */
  public Optional<String> findString(String key) {
    JsonNode v = find(key);
    if (v == null) {
      return Optional.empty();
    }
    if (!v.isTextual()) {
      throw invalid(key, "a string", shown(v));
    }
    return Optional.of(v.asText());
  }

  /** A boolean, or another value where the key is not there. */
  public boolean flag(String key, boolean defaultValue) {
    JsonNode v = find(key);
    if (v == null) {
      return defaultValue;
    }
    if (!v.isBoolean()) {
      throw invalid(key, "true or false", shown(v));
    }
    return v.asBoolean();
  }

  /** A list of integers of any sign, or one integer alone; empty where the key is not there. */
  public int[] integers(String key) {
    JsonNode v = find(key);
    if (v == null) {
      return new int[0];
    }
    List<Integer> out = new ArrayList<>();
    if (v.isArray()) {
      v.forEach(e -> out.add(signed(key, e)));
    } else {
      out.add(signed(key, v));
    }
    return out.stream().mapToInt(Integer::intValue).toArray();
  }

  private int signed(String key, JsonNode v) {
    if (!v.isIntegralNumber() || !v.canConvertToInt()) {
      throw invalid(key, "integers", shown(v));
    }
    return v.intValue();
  }

  /** A list of numbers, if there is one. */
  public Optional<float[]> findFloats(String key) {
    JsonNode v = find(key);
    if (v == null) {
      return Optional.empty();
    }
    float[] out = new float[v.size()];
    for (int i = 0; i < out.length; i++) {
      JsonNode e = v.get(i);
      if (e == null || !e.isNumber() || !Double.isFinite(e.doubleValue())) {
        throw invalid(key, "a list of finite numbers", shown(v));
      }
      out[i] = (float) e.doubleValue();
    }
    return Optional.of(out);
  }

  /** An error: the key must be there. */
  public ConversionException missing(String key, String expected) {
    return ConversionException.at(
        file,
        "'" + at + key + "'",
        expected,
        "nothing, and the class has no default",
        "Is the configuration that of this checkpoint?");
  }

  /** An error: the value cannot be. */
  public ConversionException invalid(String key, String expected, String found) {
    return ConversionException.at(
        file,
        "'" + at + key + "'",
        expected,
        found,
        "Is the configuration that of this checkpoint?");
  }

  private static String shown(JsonNode v) {
    String s = v.toString();
    return s.length() <= 80 ? s : s.substring(0, 80) + "…";
  }
}
