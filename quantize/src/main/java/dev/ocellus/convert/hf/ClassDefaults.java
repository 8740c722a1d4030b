package dev.ocellus.convert.hf;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import org.jspecify.annotations.Nullable;

/**
 * What the configuration classes of transformers 5.18 hold before a file is read, for the keys that
 * conversion asks for. Values that a class derives from others (the size of a head in llama) are
 * derived where they are used.
 */
final class ClassDefaults {
  private static final String RESOURCE = "class-defaults.json";
  private static final JsonNode ALL = read();

  private ClassDefaults() {}

  /** The defaults of a {@code model_type}, or null for one that is not known. */
  static @Nullable JsonNode of(String modelType) {
    return ALL.get(modelType);
  }

  private static JsonNode read() {
    try (InputStream in = ClassDefaults.class.getResourceAsStream(RESOURCE)) {
      if (in == null) {
        throw new IllegalStateException(RESOURCE + " is missing in this build");
      }
      return new ObjectMapper().readTree(in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
