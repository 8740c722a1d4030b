package dev.ocellus.tests.reference;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.ocellus.safetensors.SafetensorsFile;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.codec.ImageDecoder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * Golden data of a model that makes images: {@code models/M/hf}, and {@code models/M/cases/C} with
 * the codes of an image, codes that are written of a text, or the colours of pixels.
 *
 * @param reference the directory that it is in
 * @param model its name
 */
record GenerationReference(Reference reference, String model) {
  /** What a case is about. */
  enum Kind {
    /** Codes of an image, and the image of codes. */
    CODES,
    /** Codes of a text. */
    TEXT,
    /** The likelihood of colours, and their completion. */
    COLOURS,
    /** Something else. */
    OTHER
  }

  /** All in a directory, by their cases. */
  static List<GenerationReference> in(Reference reference) {
    return files(reference.root().resolve("models")).stream()
        .map(p -> new GenerationReference(reference, p.getFileName().toString()))
        .filter(m -> !m.cases().isEmpty())
        .toList();
  }

  Path checkpoint() {
    return reference.checkpoint(model);
  }

  /** Those that are about making images: a model such as Janus has others besides. */
  List<Case> cases() {
    Path cases = reference.directory(model).resolve("cases");
    return Files.isDirectory(cases)
        ? files(cases).stream()
            .filter(p -> Files.exists(p.resolve("case.json")))
            .map(p -> Case.read(reference.root(), p))
            .filter(c -> c.kind() != Kind.OTHER)
            .toList()
        : List.of();
  }

  private static List<Path> files(Path folder) {
    try (Stream<Path> all = Files.list(folder)) {
      return all.sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What was computed of one image or text. */
  record Case(Path root, Path directory, JsonNode json) {
    private static Case read(Path root, Path directory) {
      try {
        JsonNode json = new ObjectMapper().readTree(directory.resolve("case.json").toFile());
        return new Case(root, directory, json);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    String name() {
      return directory.getFileName().toString();
    }

    Kind kind() {
      if (json.has("pixel_ids")) {
        return Kind.COLOURS;
      }
      if (!json.has("codes")) {
        return Kind.OTHER;
      }
      return json.has("guidance_scale") ? Kind.TEXT : Kind.CODES;
    }

    RgbImage image() throws IOException {
      String name = json.get("images").get(0).asText();
      return ImageDecoder.decode(root.resolve("images").resolve(name));
    }

    int[] ints(String key) {
      return new ObjectMapper().convertValue(json.get(key), int[].class);
    }

    SafetensorsFile expected() throws IOException {
      return SafetensorsFile.open(directory.resolve("expected.safetensors"));
    }
  }
}
