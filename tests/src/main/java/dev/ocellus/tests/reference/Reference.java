package dev.ocellus.tests.reference;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.ocellus.vlm.vision.ImageOptions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A directory of golden data: {@code models/M/gguf} and {@code models/M/cases/C}, {@code
 * images/rgb}.
 *
 * <p>The repository holds a small one, {@code tests/golden}. The system property {@code
 * ocellus.reference} names a larger one of the same layout, whose models are compared too.
 */
final class Reference {
  private static final Path OWN = Path.of("golden");

  private final Path root;
  private final @Nullable Path converted;

  private Reference(Path root) {
    this(root, null);
  }

  private Reference(Path root, @Nullable Path converted) {
    this.root = root;
    this.converted = converted;
  }

  /** The same cases for models that a test made: {@code M/text.gguf} and {@code M/mmproj.gguf}. */
  Reference withModels(Path directory) {
    return new Reference(root, directory);
  }

  /** The repository's own data, and the larger set where there is one. */
  static List<Reference> all() {
    String other = System.getProperty("ocellus.reference", "");
    if (other.isEmpty()) {
      System.out.println(
          "golden data: tests/golden only; -Docellus.reference=DIR compares a larger set too");
      return List.of(new Reference(OWN));
    }
    return List.of(new Reference(OWN), of(Path.of(other)));
  }

  /** A directory of golden data. */
  static Reference of(Path root) {
    if (!Files.isDirectory(root.resolve("models"))) {
      throw new IllegalArgumentException("golden data: no directory models in " + root);
    }
    return new Reference(root);
  }

  Path root() {
    return root;
  }

  /**
   * Whether every model in it must be known: in the repository's own data one that is not would be
   * a test that compares nothing. A larger set may be ahead of this release.
   */
  boolean mustBeKnown() {
    return root.equals(OWN);
  }

  /**
   * Names of the models that have a text model and an image encoder as GGUF files.
   *
   * @throws IllegalStateException if one has only one of them, or no conversation
   */
  List<String> models() {
    List<String> models =
        names(root.resolve("models")).stream().filter(m -> Files.isDirectory(gguf(m))).toList();
    for (String m : models) {
      if (!Files.exists(mmproj(m)) || !Files.exists(text(m))) {
        throw new IllegalStateException(
            "golden data: text.gguf or mmproj.gguf is missing in " + gguf(m));
      }
      if (cases(m).isEmpty()) {
        throw new IllegalStateException("golden data: no conversation in " + directory(m));
      }
    }
    return models;
  }

  Path directory(String model) {
    return root.resolve("models").resolve(model);
  }

  Path mmproj(String model) {
    return gguf(model).resolve("mmproj.gguf");
  }

  /** The image encoder with all that the checkpoint says, to be run. */
  Path encoder(String model) {
    return converted == null
        ? CompletedFile.encoder(mmproj(model), checkpoint(model))
        : mmproj(model);
  }

  /** The text model with all that the checkpoint says, to be run. */
  Path textModel(String model) {
    return converted == null ? CompletedFile.text(text(model), checkpoint(model)) : text(model);
  }

  Path text(String model) {
    return gguf(model).resolve("text.gguf");
  }

  private Path gguf(String model) {
    return converted == null ? directory(model).resolve("gguf") : converted.resolve(model);
  }

  /** Names of the models that have a checkpoint and conversations. */
  List<String> checkpoints() {
    return names(root.resolve("models")).stream()
        .filter(m -> Files.exists(checkpoint(m).resolve("config.json")))
        .filter(m -> Files.isDirectory(directory(m).resolve("cases")) && !cases(m).isEmpty())
        .toList();
  }

  /** A checkpoint in HuggingFace's layout. */
  Path checkpoint(String model) {
    return directory(model).resolve("hf");
  }

  /** How the images of a case are prepared. */
  ImageOptions imageOptions(String model, ReferenceCase c) {
    return imageTokens(model).withPanAndScan(c.panAndScan());
  }

  /**
   * How many tokens an image may have, where the reference's processor was given limits that the
   * GGUF files do not hold.
   */
  private ImageOptions imageTokens(String model) {
    if (converted != null) {
      return ImageOptions.DEFAULT; // those that are made here hold all
    }
    Path file = directory(model).resolve("hf/preprocessor_config.json");
    if (!Files.exists(file)) {
      return ImageOptions.DEFAULT;
    }
    try {
      JsonNode json = new ObjectMapper().readTree(file.toFile());
      if (!json.has("merge_size")) {
        return ImageOptions.DEFAULT;
      }
      int side = json.get("patch_size").asInt() * json.get("merge_size").asInt();
      JsonNode min = json.has("size") ? json.at("/size/shortest_edge") : json.get("min_pixels");
      JsonNode max = json.has("size") ? json.at("/size/longest_edge") : json.get("max_pixels");
      boolean countsBothFrames = json.path("image_processor_type").asText().startsWith("Glm");
      int perToken = side * side * (countsBothFrames ? 2 : 1);
      return ImageOptions.ofTokens(min.asInt() / perToken, max.asInt() / perToken);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The cases of a model that have a conversation. */
  List<ReferenceCase> cases(String model) {
    Path cases = root.resolve("models").resolve(model).resolve("cases");
    return names(cases).stream()
        .map(name -> ReferenceCase.read(root, cases.resolve(name)))
        .filter(ReferenceCase::isConversation)
        .toList();
  }

  private static List<String> names(Path directory) {
    try (Stream<Path> entries = Files.list(directory)) {
      return entries.map(p -> p.getFileName().toString()).sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
