package dev.ocellus.cli.options;

import dev.ocellus.quantize.Recipe;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;

/** Names of types that shells offer where an option takes one. */
public final class TypeNames {
  private TypeNames() {}

  /** Of the KV cache. */
  static final class OfCache implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return List.of("f32", "f16", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "iq4_nl")
          .iterator();
    }
  }

  /** Of what {@code convert} writes. */
  public static final class OfConversion implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return List.of("auto", "f32", "f16", "bf16", "q8_0").iterator();
    }
  }

  /** Of what {@code quantize} writes. */
  public static final class OfRecipes implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return Arrays.stream(Recipe.values()).map(Enum::name).iterator();
    }
  }
}
