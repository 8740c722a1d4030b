package dev.ocellus.hub;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.hub.HubException.Kind;
import dev.ocellus.io.AtomicFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Ollama's folder of models: {@code manifests/HOST/NAMESPACE/MODEL/TAG}, which name {@code
 * blobs/sha256-…}. Only models whose image encoder is a file of its own are given: in the others it
 * lies in the text model's file, under names that only Ollama knows.
 */
final class OllamaStore {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String KIND = "application/vnd.ollama.image.";
  private static final Pattern DIGEST = Pattern.compile("sha256:([0-9a-f]{64})");
  private static final long MAX_MANIFEST = 4 << 20;

  private final Path root;

  OllamaStore(Path root) {
    this.root = root;
  }

  /** The manifest's file. */
  Path manifest(OllamaName name) {
    return root.resolve("manifests")
        .resolve(name.hostOrDefault())
        .resolve(name.namespace())
        .resolve(name.model())
        .resolve(name.tag());
  }

  /** The bytes of a layer. */
  Path blob(Layer layer) {
    return root.resolve("blobs").resolve("sha256-" + layer.hash());
  }

  Path blobs() {
    return root.resolve("blobs");
  }

  /**
   * A part of a model.
   *
   * @param kind {@code model}, {@code projector}, {@code template} …
   */
  record Layer(String kind, String hash, long size) {}

  /** Reads a manifest. */
  static List<Layer> layers(byte[] manifest, String name) {
    JsonNode root;
    try {
      root = JSON.readTree(manifest);
    } catch (IOException e) {
      throw damaged(name, e);
    }
    List<Layer> layers = new ArrayList<>();
    for (JsonNode layer : root.path("layers")) {
      layers.add(layer(layer, name));
    }
    if (root.path("config").has("digest")) {
      layers.add(layer(root.path("config"), name));
    }
    return layers;
  }

  private static Layer layer(JsonNode layer, String name) {
    Matcher digest = DIGEST.matcher(layer.path("digest").asText());
    long size = layer.path("size").asLong(-1);
    if (!digest.matches() || size < 0) {
      throw damaged(name, null);
    }
    String type = layer.path("mediaType").asText();
    return new Layer(
        type.startsWith(KIND) ? type.substring(KIND.length()) : type, digest.group(1), size);
  }

  private static HubException damaged(String name, @Nullable IOException cause) {
    return new HubException(
        Kind.PROTOCOL, "The manifest of %s is no manifest of Ollama".formatted(name), cause);
  }

  /** The model as it lies in the store, if it is there whole. */
  Optional<ModelFiles> local(OllamaName name) throws IOException {
    Path manifest = manifest(name);
    if (!Files.isRegularFile(manifest) || Files.size(manifest) > MAX_MANIFEST) {
      return Optional.empty();
    }
    List<Layer> layers = layers(Files.readAllBytes(manifest), name.toString());
    requireReadable(layers, name);
    for (Layer layer : needed(layers)) {
      if (!Files.isRegularFile(blob(layer)) || Files.size(blob(layer)) != layer.size()) {
        return Optional.empty();
      }
    }
    return Optional.of(files(layers, name));
  }

  /** Every layer; Ollama takes a model without one of them for damaged. */
  static List<Layer> needed(List<Layer> layers) {
    return layers.stream().distinct().toList();
  }

  /** Refuses what only Ollama reads, before anything is fetched. */
  static void requireReadable(List<Layer> layers, OllamaName name) {
    if (layers.stream().noneMatch(l -> l.kind().equals("model"))) {
      throw unsupported(name, "it has no GGUF file");
    }
    if (layers.stream().filter(l -> l.kind().equals("model")).count() > 1) {
      throw unsupported(name, "its text model is in several layers");
    }
    if (layers.stream().anyMatch(l -> l.kind().equals("adapter"))) {
      throw unsupported(name, "it needs an adapter (LoRA)");
    }
  }

  /** The files to open. */
  ModelFiles files(List<Layer> layers, OllamaName name) throws IOException {
    Path model = blob(only(layers, "model").orElseThrow());
    Optional<Path> projector = only(layers, "projector").map(this::blob);
    if (projector.isEmpty()) {
      requireNoImagesInside(model, name);
    }
    List<Path> all = new ArrayList<>(List.of(model));
    projector.ifPresent(all::add);
    return new ModelFiles(model, projector, all);
  }

  private static Optional<Layer> only(List<Layer> layers, String kind) {
    return layers.stream().filter(l -> l.kind().equals(kind)).findFirst();
  }

  private static void requireNoImagesInside(Path model, OllamaName name) throws IOException {
    try (GgufFile gguf = GgufFile.open(model)) {
      boolean inside =
          gguf.tensors().stream()
              .anyMatch(t -> t.name().startsWith("v.") || t.name().startsWith("vision."));
      if (inside) {
        throw unsupported(
            name,
            "its image encoder lies in the file of the text model, under Ollama's own names. The same model from the hub works: see docs/models.md");
      }
    }
  }

  private static HubException unsupported(OllamaName name, String why) {
    return new HubException(Kind.UNSUPPORTED, "%s cannot be read: %s".formatted(name, why));
  }

  /** Keeps a manifest, last, when all that it names is there. */
  void keep(OllamaName name, byte[] manifest) throws IOException {
    Path at = manifest(name);
    Files.createDirectories(Objects.requireNonNull(at.getParent()));
    AtomicFile.write(at, manifest);
  }
}
