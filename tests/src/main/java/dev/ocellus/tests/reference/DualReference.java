package dev.ocellus.tests.reference;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.codec.ImageDecoder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Golden data of a dual encoder: {@code models/M/hf}, and {@code models/M/cases/C} with texts and
 * images that are compared with each other.
 *
 * @param reference the directory that it is in
 * @param model its name
 */
record DualReference(Reference reference, String model) {
  private static final Set<String> CLASSES = Set.of("CLIPModel", "SiglipModel");

  /** All in a directory, by the class that their configurations name. */
  static List<DualReference> in(Reference reference) {
    try (Stream<Path> models = Files.list(reference.root().resolve("models"))) {
      return models
          .map(p -> new DualReference(reference, p.getFileName().toString()))
          .filter(DualReference::isDual)
          .sorted((a, b) -> a.model.compareTo(b.model))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private boolean isDual() {
    Path config = checkpoint().resolve("config.json");
    return Files.exists(config)
        && CLASSES.contains(json(config).path("architectures").path(0).asText());
  }

  Path checkpoint() {
    return reference.checkpoint(model);
  }

  /** Texts and the ids that the reference's tokenizer gives, where there are more than cases. */
  List<JsonNode> tokens() {
    Path file = reference.directory(model).resolve("tokens.jsonl");
    if (!Files.exists(file)) {
      return List.of();
    }
    try {
      List<JsonNode> lines = new ArrayList<>();
      for (String line : Files.readAllLines(file)) {
        lines.add(new ObjectMapper().readTree(line));
      }
      return lines;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  List<Case> cases() {
    try (Stream<Path> cases = Files.list(reference.directory(model).resolve("cases"))) {
      return cases.sorted().map(p -> new Case(this, p)).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static JsonNode json(Path file) {
    try {
      return new ObjectMapper().readTree(file.toFile());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Images and texts, and what transformers computes of them. */
  record Case(DualReference owner, Path directory) {
    String name() {
      return directory.getFileName().toString();
    }

    ReferenceCase values() {
      return ReferenceCase.read(owner.reference.root(), directory);
    }

    List<String> texts() {
      return strings("texts");
    }

    List<RgbImage> images() {
      return strings("images").stream()
          .map(name -> {
            try {
              return ImageDecoder.decode(owner.reference.root().resolve("images").resolve(name));
            } catch (IOException e) {
              throw new UncheckedIOException(e);
            }
          })
          .toList();
    }

    private List<String> strings(String key) {
      List<String> values = new ArrayList<>();
      json(directory.resolve("case.json")).path(key).forEach(v -> values.add(v.asText()));
      return values;
    }
  }
}
