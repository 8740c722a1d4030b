package dev.ocellus.llama;

import dev.ocellus.gguf.GgufArray;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.gguf.GgufValue;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/** Reads the hyperparameters of one architecture from a file, each within limits. */
final class ModelKeys {
  static final String WRONG = "The file is damaged, or was converted for another architecture.";
  static final String LATER = "This kind of model is not supported in this release.";

  private final GgufFile gguf;
  private final Path file;
  private final GgufMetadata metadata;
  private final String prefix;

  /**
   * @param architecture what keys begin with
   */
  ModelKeys(GgufFile gguf, String architecture) {
    this.gguf = gguf;
    this.file = gguf.path();
    this.metadata = gguf.metadata();
    this.prefix = architecture + ".";
  }

  GgufMetadata metadata() {
    return metadata;
  }

  String key(String name) {
    return prefix + name;
  }

  boolean has(String name) {
    return metadata.contains(key(name));
  }

  /** A number of at least 1 that has to be there. */
  int size(String name, int max) {
    return required(name, 1, max);
  }

  int required(String name, int min, int max) {
    long value = metadata.integer(key(name));
    require(value >= min && value <= max, name, "%d to %d".formatted(min, max), value);
    return (int) value;
  }

  int optional(String name, int defaultValue) {
    return metadata.int32(key(name), defaultValue);
  }

  void optionalRange(String name, int min, int max) {
    metadata
        .findInteger(key(name))
        .ifPresent(v -> require(v >= min && v <= max, name, "%d to %d".formatted(min, max), v));
  }

  /** A number within limits, or the default. */
  int optional(String name, int defaultValue, int min, int max) {
    optionalRange(name, min, max);
    return optional(name, defaultValue);
  }

  void same(String name, int defaultValue, int expected) {
    int value = optional(name, defaultValue);
    require(value == expected, name, "" + expected, value);
  }

  void none(String name) {
    long value = metadata.integer(key(name), 0);
    if (value != 0) {
      throw error(name, "0", Long.toUnsignedString(value), LATER);
    }
  }

  void positive(String name) {
    metadata
        .findF32(key(name))
        .ifPresent(v -> require(v > 0 && Float.isFinite(v), name, "a positive number", v));
  }

  void positiveOrZero(String name) {
    metadata
        .findF32(key(name))
        .ifPresent(v -> require(v >= 0 && Float.isFinite(v), name, "a number from 0 on", v));
  }

  /** A number that may be given once or for each layer, then always the same. */
  int uniform(String name, int nLayer, int min, int max) {
    long[] values = each(name, nLayer, min, max);
    for (long v : values) {
      if (v != values[0]) {
        throw error(name, "the same number for all layers", values[0] + " and " + v, LATER);
      }
    }
    return (int) values[0];
  }

  /** A number of each layer; given once if it is the same for all. */
  long[] each(String name, int nLayer, int min, int max) {
    long[] values = new long[nLayer];
    Optional<GgufValue> found = metadata.find(key(name));
    if (found.orElse(null) instanceof GgufArray) {
      long[] given = metadata.integers(key(name));
      require(given.length == nLayer, name, nLayer + " numbers", given.length);
      System.arraycopy(given, 0, values, 0, nLayer);
    } else {
      Arrays.fill(values, metadata.integer(key(name)));
    }
    for (long v : values) {
      if (v < min || v > max) {
        throw error(name, min == max ? "" + min : min + " to " + max, "" + v, WRONG);
      }
    }
    return values;
  }

  /** Refuses a file without a tensor that libllama's graph takes to be there. */
  void requireTensor(String name) {
    gguf.tensor(name);
  }

  boolean hasTensor(String name) {
    return gguf.findTensor(name).isPresent();
  }

  void require(boolean ok, String name, String expected, Object found) {
    if (!ok) {
      throw error(name, expected, found.toString(), WRONG);
    }
  }

  LlamaException error(String name, String expected, String found, String remedy) {
    return ModelGuard.refusal(file, "metadata \"" + key(name) + "\"", expected, found, remedy);
  }
}
