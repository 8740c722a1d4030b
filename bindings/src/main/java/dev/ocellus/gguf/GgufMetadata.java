package dev.ocellus.gguf;

import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * The key-value pairs of a GGUF file in file order, with typed access.
 *
 * <p>Each type has three forms: {@code string(key)} requires the key, {@code string(key, other)}
 * has a default, {@code findString(key)} gives an {@link Optional}. All three refuse a value of
 * another type with a {@link GgufFormatException} that names key, expected and found type. Integer
 * access takes every integer width and float access both widths, as published files vary.
 *
 * <p>Strings and arrays can be read only while the file is open.
 */
public final class GgufMetadata {
  private final Path file;
  private final Map<String, GgufValue> values;

  GgufMetadata(Path file, Map<String, GgufValue> values) {
    this.file = file;
    this.values = Collections.unmodifiableMap(values);
  }

  /** All pairs in file order. */
  public Map<String, GgufValue> asMap() {
    return values;
  }

  /** Whether the key is there, with whatever type. */
  public boolean contains(String key) {
    return values.containsKey(key);
  }

  /** The value of any type, or empty. */
  public Optional<GgufValue> find(String key) {
    return Optional.ofNullable(values.get(key));
  }

  /** A required string; malformed UTF-8 is replaced by U+FFFD. */
  public String string(String key) {
    return findString(key).orElseThrow(missing(key, "a string"));
  }

  /** A string or the default. */
  public String string(String key, String defaultValue) {
    return findString(key).orElse(defaultValue);
  }

  /** A string, if there is one. */
  public Optional<String> findString(String key) {
    return find(key, GgufString.class, "a string").map(GgufString::value);
  }

  /** A required integer; a u64 above {@link Long#MAX_VALUE} is refused. */
  public long integer(String key) {
    return findInteger(key).orElseThrow(missing(key, "an integer"));
  }

  /** An integer or the default. */
  public long integer(String key, long defaultValue) {
    return findInteger(key).orElse(defaultValue);
  }

  /** An integer, if there is one. */
  public Optional<Long> findInteger(String key) {
    Optional<GgufValue.Int> found = find(key, GgufValue.Int.class, "an integer");
    found.ifPresent(v -> {
      if (v.type() == MetadataType.U64 && v.value() < 0) {
        throw error(key, "an integer below 2^63", v.display());
      }
    });
    return found.map(GgufValue.Int::value);
  }

  /** A required integer in the range of int, such as a count or a size. */
  public int int32(String key) {
    return findInt32(key).orElseThrow(missing(key, "an integer"));
  }

  /** An int or the default. */
  public int int32(String key, int defaultValue) {
    return findInt32(key).orElse(defaultValue);
  }

  /** An integer in the range of int, if there is one. */
  public Optional<Integer> findInt32(String key) {
    return findInteger(key)
        .map(v -> {
          if (v != v.intValue()) {
            throw error(key, "an integer of 32 bits", v.toString());
          }
          return v.intValue();
        });
  }

  /** A required f32 or f64. */
  public float f32(String key) {
    return findF32(key).orElseThrow(missing(key, "a floating point number"));
  }

  /** A float or the default. */
  public float f32(String key, float defaultValue) {
    return findF32(key).orElse(defaultValue);
  }

  /** A float, if there is one; an f64 is rounded. */
  public Optional<Float> findF32(String key) {
    return find(key, GgufValue.Real.class, "a floating point number").map(v -> (float) v.value());
  }

  /** A required boolean. */
  public boolean bool(String key) {
    return findBool(key).orElseThrow(missing(key, "a boolean"));
  }

  /** A boolean or the default. */
  public boolean bool(String key, boolean defaultValue) {
    return findBool(key).orElse(defaultValue);
  }

  /** A boolean, if there is one. */
  public Optional<Boolean> findBool(String key) {
    return find(key, GgufValue.Bool.class, "a boolean").map(GgufValue.Bool::value);
  }

  /** A required array of whatever element type, not yet decoded. */
  public GgufArray array(String key) {
    return findArray(key).orElseThrow(missing(key, "an array"));
  }

  /** An array, if there is one. */
  public Optional<GgufArray> findArray(String key) {
    return find(key, GgufArray.class, "an array");
  }

  /** A required array of strings, decoded. */
  public List<String> strings(String key) {
    return findStrings(key).orElseThrow(missing(key, "an array of strings"));
  }

  /** An array of strings or the default. */
  public List<String> strings(String key, List<String> defaultValue) {
    return findStrings(key).orElse(defaultValue);
  }

  /** An array of strings, if there is one. */
  public Optional<List<String>> findStrings(String key) {
    Optional<GgufArray> a = findArray(key);
    a.ifPresent(v -> requireElements(key, v, v.elementType() == MetadataType.STRING, "strings"));
    return a.map(GgufArray::strings);
  }

  /** A required array of integers. */
  public long[] integers(String key) {
    return findIntegers(key).orElseThrow(missing(key, "an array of integers"));
  }

  /** An array of integers, if there is one; a u64 as its 64 bits. */
  public Optional<long[]> findIntegers(String key) {
    Optional<GgufArray> a = findArray(key);
    a.ifPresent(v -> requireElements(key, v, v.elementType().isInteger(), "integers"));
    return a.map(GgufArray::longs);
  }

  /** A required array of floating point numbers. */
  public float[] floats(String key) {
    return findFloats(key).orElseThrow(missing(key, "an array of floating point numbers"));
  }

  /** An array of floating point numbers, if there is one. */
  public Optional<float[]> findFloats(String key) {
    Optional<GgufArray> a = findArray(key);
    a.ifPresent(v -> requireElements(key, v, v.elementType().isFloat(), "floating point numbers"));
    return a.map(GgufArray::floats);
  }

  /** A required array of booleans. */
  public boolean[] bools(String key) {
    return findBools(key).orElseThrow(missing(key, "an array of booleans"));
  }

  /** An array of booleans, if there is one. */
  public Optional<boolean[]> findBools(String key) {
    Optional<GgufArray> a = findArray(key);
    a.ifPresent(v -> requireElements(key, v, v.elementType() == MetadataType.BOOL, "booleans"));
    return a.map(GgufArray::booleans);
  }

  private <T extends GgufValue> Optional<T> find(String key, Class<T> kind, String wanted) {
    GgufValue v = values.get(key);
    if (v == null) {
      return Optional.empty();
    }
    if (!kind.isInstance(v)) {
      throw error(key, wanted, "a value of type " + v.type().shortName());
    }
    return Optional.of(kind.cast(v));
  }

  private void requireElements(String key, GgufArray a, boolean ok, String wanted) {
    if (!ok) {
      throw error(key, "an array of " + wanted, "an array of " + a.elementType().shortName());
    }
    if (a.length() > GgufArray.MAX_BULK_ELEMENTS) {
      throw error(
          key, "at most %d elements".formatted(GgufArray.MAX_BULK_ELEMENTS), "" + a.length());
    }
  }

  private Supplier<GgufFormatException> missing(String key, String wanted) {
    return () -> error(key, wanted, "no such key");
  }

  private GgufFormatException error(String key, String expected, String found) {
    return new GgufFormatException(
        file,
        GgufFormatException.NOWHERE,
        "metadata " + Quote.of(key),
        expected,
        found,
        "The file was converted incompletely or for another architecture.");
  }
}
