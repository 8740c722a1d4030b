package dev.ocellus.quantize;

import dev.ocellus.gguf.TensorType;
import java.util.Arrays;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import java.util.stream.Collectors;

/**
 * A type for all tensors whose name holds a match of a pattern.
 *
 * @param pattern a regular expression, found anywhere in the name
 */
public record TypeOverride(Pattern pattern, TensorType type) {

  /**
   * {@code PATTERN=TYPE}, such as {@code attn_v=q6_K}; the pattern is taken in lower case, as
   * llama-quantize does.
   *
   * @throws IllegalArgumentException if it is not of that form
   */
  public static TypeOverride parse(String text) {
    int at = text.indexOf('=');
    if (at <= 0 || at == text.length() - 1) {
      throw new IllegalArgumentException(
          "tensor type: expected PATTERN=TYPE such as attn_v=q6_K, found '%s'".formatted(text));
    }
    try {
      return new TypeOverride(
          Pattern.compile(text.substring(0, at).toLowerCase(Locale.ROOT)),
          tensorType(text.substring(at + 1)));
    } catch (PatternSyntaxException e) {
      throw new IllegalArgumentException(
          "tensor type: '%s' is no regular expression: %s"
              .formatted(text.substring(0, at), e.getDescription()),
          e);
    }
  }

  /**
   * The type of this ggml name, in any case.
   *
   * @throws IllegalArgumentException if there is none; the message lists the names
   */
  public static TensorType tensorType(String name) {
    return Arrays.stream(TensorType.values())
        .filter(t -> t.ggmlName().equalsIgnoreCase(name))
        .findFirst()
        .orElseThrow(() ->
            new IllegalArgumentException(
                "tensor type: expected one of %s, found '%s'"
                    .formatted(
                        Arrays.stream(TensorType.values())
                            .map(TensorType::ggmlName)
                            .collect(Collectors.joining(", ")),
                        name)));
  }

  boolean matches(String name) {
    return pattern.matcher(name).find();
  }
}
