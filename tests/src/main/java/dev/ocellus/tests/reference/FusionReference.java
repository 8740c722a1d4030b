package dev.ocellus.tests.reference;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.codec.ImageDecoder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * Golden data of a model whose texts attend to images: {@code models/M/hf}, and {@code
 * models/M/cases/C} with an image and maybe a text.
 *
 * @param reference the directory that it is in
 * @param model its name
 */
record FusionReference(Reference reference, String model) {
  /** What a model does, by its class in transformers. */
  enum Trade {
    CAPTION("BlipForConditionalGeneration"),
    ANSWER("BlipForQuestionAnswering"),
    MATCH("BlipForImageTextRetrieval");

    private final String name;

    Trade(String name) {
      this.name = name;
    }
  }

  /** All in a directory, by the class that their configurations name. */
  static List<FusionReference> in(Reference reference) {
    try (Stream<Path> models = Files.list(reference.root().resolve("models"))) {
      return models
          .map(p -> new FusionReference(reference, p.getFileName().toString()))
          .filter(r -> Stream.of(Trade.values()).anyMatch(t -> t.name.equals(r.architecture())))
          .sorted((a, b) -> a.model.compareTo(b.model))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private String architecture() {
    Path config = checkpoint().resolve("config.json");
    return Files.exists(config) ? json(config).path("architectures").path(0).asText() : "";
  }

  Trade trade() {
    return Stream.of(Trade.values())
        .filter(t -> t.name.equals(architecture()))
        .findFirst()
        .orElseThrow();
  }

  Path checkpoint() {
    return reference.checkpoint(model);
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

  /** An image and maybe a text, and what transformers computes of them. */
  record Case(FusionReference owner, Path directory) {
    String name() {
      return directory.getFileName().toString();
    }

    ReferenceCase values() {
      return ReferenceCase.read(owner.reference.root(), directory);
    }

    /** The text; empty where there is none. */
    String text() {
      JsonNode text = json(directory.resolve("case.json")).path("text");
      return text.isTextual() ? text.asText() : "";
    }

    int[] ids(String key) {
      return new ObjectMapper()
          .convertValue(json(directory.resolve("case.json")).path(key), int[].class);
    }

    /** Beam searches; none in older data. */
    List<BeamCase> beams() {
      return BeamCase.all(json(directory.resolve("case.json")).path("beams"));
    }

    RgbImage image() {
      String name = json(directory.resolve("case.json")).path("images").path(0).asText();
      try {
        return ImageDecoder.decode(owner.reference.root().resolve("images").resolve(name));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
