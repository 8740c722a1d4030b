package dev.ocellus.quantize.file;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.ocellus.gguf.GgufArray;
import dev.ocellus.gguf.GgufString;
import dev.ocellus.gguf.GgufValue;
import dev.ocellus.gguf.MetadataType;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.StreamSupport;

/** Metadata as people write them: {@code KEY=TYPE:VALUE}. */
public final class MetadataText {
  private static final String FORM =
      "KEY=TYPE:VALUE, with the type u8, i8, u16, i16, u32, i32, u64, i64, f32, f64, bool, str or arr[TYPE] (a JSON array)";

  /** A key and its value. */
  public record Entry(String key, GgufValue value) {}

  private MetadataText() {}

  /**
   * A key with a value of any type: {@code general.name=str:My model}, {@code
   * llama.rope.freq_base=f32:1e6}, {@code general.tags=arr[str]:["a", "b"]}. The types {@code int}
   * and {@code float} of llama.cpp stand for u32 and f32.
   *
   * @throws IllegalArgumentException if the text is not of that form
   */
  public static Entry parse(String text) {
    int equals = text.indexOf('=');
    int colon = text.indexOf(':', equals);
    if (equals < 1 || colon < 0) {
      throw new IllegalArgumentException("metadata: expected %s, found '%s'".formatted(FORM, text));
    }
    String type = text.substring(equals + 1, colon).toLowerCase(Locale.ROOT);
    String value = text.substring(colon + 1);
    return new Entry(text.substring(0, equals), value(text, type, value));
  }

  /**
   * What {@code --override-kv} of llama.cpp means: the types int, float, bool and str, of which int
   * is stored without its sign as u32.
   *
   * @throws IllegalArgumentException if the text is not of that form
   */
  public static Entry parseOverride(String text) {
    int equals = text.indexOf('=');
    int colon = text.indexOf(':', equals);
    String type = equals < 1 || colon < 0 ? "" : text.substring(equals + 1, colon);
    if (!List.of("int", "float", "bool", "str").contains(type)) {
      throw new IllegalArgumentException(
          "--override-kv: expected KEY=TYPE:VALUE with the type int, float, bool or str, found '%s'"
              .formatted(text));
    }
    String value = text.substring(colon + 1);
    if (type.equals("int")) {
      long n = Math.abs(integer(text, value)) & 0xffff_ffffL;
      return new Entry(text.substring(0, equals), new GgufValue.Int(MetadataType.U32, n));
    }
    return parse(text);
  }

  private static GgufValue value(String text, String type, String value) {
    if (type.startsWith("arr[") && type.endsWith("]")) {
      return array(text, type.substring(4, type.length() - 1), value);
    }
    return switch (type) {
      case "int" -> integer(text, MetadataType.U32, value);
      case "float" -> real(text, MetadataType.F32, value);
      case "str", "string" -> GgufString.of(value);
      case "bool" ->
          switch (value.toLowerCase(Locale.ROOT)) {
            case "true" -> new GgufValue.Bool(true);
            case "false" -> new GgufValue.Bool(false);
            default -> throw wrong(text, "true or false", value);
          };
      default -> {
        MetadataType t = scalar(text, type);
        yield t.isFloat() ? real(text, t, value) : integer(text, t, value);
      }
    };
  }

  private static MetadataType scalar(String text, String type) {
    return Arrays.stream(MetadataType.values())
        .filter(t -> t.shortName().equals(type) && (t.isInteger() || t.isFloat()))
        .findFirst()
        .orElseThrow(() ->
            new IllegalArgumentException(
                "metadata '%s': expected %s, found type '%s'".formatted(text, FORM, type)));
  }

  private static GgufValue integer(String text, MetadataType type, String value) {
    if (type == MetadataType.U64) {
      try {
        return new GgufValue.Int(type, Long.parseUnsignedLong(value.strip()));
      } catch (NumberFormatException e) {
        throw wrong(text, "an integer from 0 to 2^64 - 1", value);
      }
    }
    return new GgufValue.Int(type, integer(text, value));
  }

  private static long integer(String text, String value) {
    try {
      return Long.parseLong(value.strip());
    } catch (NumberFormatException e) {
      throw wrong(text, "an integer", value);
    }
  }

  private static GgufValue real(String text, MetadataType type, String value) {
    try {
      double d = Double.parseDouble(value.strip());
      return new GgufValue.Real(type, type == MetadataType.F32 ? (float) d : d);
    } catch (NumberFormatException e) {
      throw wrong(text, "a number", value);
    }
  }

  private static GgufArray array(String text, String element, String json) {
    List<JsonNode> nodes;
    try {
      JsonNode root = new ObjectMapper().readTree(json);
      if (root == null || !root.isArray()) {
        throw wrong(text, "a JSON array", json);
      }
      nodes = StreamSupport.stream(root.spliterator(), false).toList();
    } catch (JsonProcessingException e) {
      throw wrong(text, "a JSON array", json);
    }
    List<GgufValue> values = nodes.stream().map(n -> value(text, element, n.asText())).toList();
    return switch (element) {
      case "str", "string" ->
          GgufArray.ofStrings(values.stream().map(v -> ((GgufString) v).value()).toList());
      case "bool" -> {
        boolean[] all = new boolean[values.size()];
        for (int i = 0; i < all.length; i++) {
          all[i] = ((GgufValue.Bool) values.get(i)).value();
        }
        yield GgufArray.ofBooleans(all);
      }
      case "f32", "float" -> {
        float[] all = new float[values.size()];
        for (int i = 0; i < all.length; i++) {
          all[i] = (float) ((GgufValue.Real) values.get(i)).value();
        }
        yield GgufArray.ofFloats(all);
      }
      case "f64" ->
          GgufArray.ofDoubles(
              values.stream().mapToDouble(v -> ((GgufValue.Real) v).value()).toArray());
      default ->
          GgufArray.ofIntegers(
              element.equals("int") ? MetadataType.U32 : scalar(text, element),
              values.stream().mapToLong(v -> ((GgufValue.Int) v).value()).toArray());
    };
  }

  private static IllegalArgumentException wrong(String text, String expected, String found) {
    return new IllegalArgumentException(
        "metadata '%s': expected %s, found '%s'".formatted(text, expected, found));
  }
}
