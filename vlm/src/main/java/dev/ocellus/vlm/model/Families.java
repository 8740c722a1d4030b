package dev.ocellus.vlm.model;

import dev.ocellus.UnsupportedArchitectureException;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufMetadata;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * The families of one kind of model, by what their files name.
 *
 * @param <M> what a family is to those who compute with it
 */
final class Families<M> {
  /** Makes a model of a family from a file; all its weights are bound and checked. */
  interface Factory<M> {
    M of(GgufMetadata metadata, Weights weights);
  }

  private final ModelKind kind;
  private final String keyName;
  private final Function<GgufMetadata, String> key;
  private final Map<String, Factory<M>> byKey;

  /**
   * @param keyName what the key is, for people
   * @param key reads the key of a file
   * @param byKey a factory for each known key
   */
  Families(
      ModelKind kind,
      String keyName,
      Function<GgufMetadata, String> key,
      Map<String, Factory<M>> byKey) {
    this.kind = kind;
    this.keyName = keyName;
    this.key = key;
    this.byKey = new TreeMap<>(byKey);
  }

  /**
   * The model of a file.
   *
   * @throws WrongModelKindException if the file is of another kind
   * @throws UnsupportedArchitectureException if its family is not known
   * @throws dev.ocellus.gguf.GgufFormatException if its metadata are incomplete
   * @throws dev.ocellus.compute.GgmlException if weights are missing or have another shape
   */
  M open(GgufFile file, Weights weights) {
    return open(file, weights, key.apply(file.metadata()));
  }

  /**
   * The model of a file as one of another family, which must be able to read such files.
   *
   * @param name of the family
   */
  M open(GgufFile file, Weights weights, String name) {
    ModelRegistry.require(file, kind);
    Factory<M> factory = byKey.get(name);
    if (factory == null) {
      throw new UnsupportedArchitectureException(
          "%s is %s with the %s '%s', which is not known; known are %s"
              .formatted(file.path(), kind.description(), keyName, name, byKey.keySet()));
    }
    return factory.of(file.metadata(), weights);
  }
}
