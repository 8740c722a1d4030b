package dev.ocellus.server;

import dev.ocellus.OcellusException;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.server.options.ModelSource;
import dev.ocellus.vlm.embedding.EmbeddingOptions;
import dev.ocellus.vlm.model.ModelKind;
import dev.ocellus.vlm.options.LoadOptions;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Finds the models in a folder: GGUF files in it and in the folders that it holds. An image encoder
 * belongs to the text model that it is named after ({@code mmproj-NAME.gguf}, {@code
 * NAME-mmproj.gguf}), or that is alone with it in a folder.
 */
public final class ModelFolder {
  private static final System.Logger LOGGER = System.getLogger(ModelFolder.class.getName());

  private ModelFolder() {}

  /**
   * The models, by name. Files that are none, or that cannot be read, are left out with a warning.
   *
   * @param chat how a model that chats is loaded; its files are replaced
   * @param embedding how a dual encoder is loaded
   * @throws IOException if the folder cannot be read
   */
  public static List<ModelSource> scan(Path folder, LoadOptions chat, EmbeddingOptions embedding)
      throws IOException {
    List<ModelSource> models = new ArrayList<>(models(folder, chat, embedding));
    try (Stream<Path> inside = Files.list(folder)) {
      for (Path sub : inside.filter(Files::isDirectory).sorted().toList()) {
        models.addAll(models(sub, chat, embedding));
      }
    }
    return models;
  }

  private static List<ModelSource> models(Path folder, LoadOptions chat, EmbeddingOptions embedding)
      throws IOException {
    Map<Path, ModelKind> kinds = kinds(folder);
    List<Path> texts = of(kinds, ModelKind.TEXT);
    List<Path> encoders = of(kinds, ModelKind.IMAGE_ENCODER);
    List<ModelSource> models = new ArrayList<>();
    for (Path text : texts) {
      boolean alone = texts.size() == 1 && encoders.size() == 1;
      Optional<Path> encoder =
          encoders.stream().filter(e -> alone || name(e).contains(name(text))).findFirst();
      models.add(
          ModelSource.chat(
              name(text), chat.toBuilder().model(text).mmproj(encoder.orElse(null)).build()));
    }
    for (Path dual : of(kinds, ModelKind.DUAL_ENCODER)) {
      models.add(
          new ModelSource(name(dual), List.of(), new ModelSource.Embedding(dual, embedding)));
    }
    return models;
  }

  private static List<Path> of(Map<Path, ModelKind> kinds, ModelKind kind) {
    return kinds.entrySet().stream()
        .filter(e -> e.getValue() == kind)
        .map(Map.Entry::getKey)
        .toList();
  }

  private static Map<Path, ModelKind> kinds(Path folder) throws IOException {
    Map<Path, ModelKind> kinds = new LinkedHashMap<>();
    try (Stream<Path> files = Files.list(folder)) {
      for (Path path : files.filter(f -> f.toString().endsWith(".gguf")).sorted().toList()) {
        if (path.toString().matches(".*-0000[2-9]-of-\\d+\\.gguf|.*-000[1-9]\\d-of-\\d+\\.gguf")) {
          continue; // opened with the first part
        }
        try (GgufFile file = GgufFile.open(path)) {
          kinds.put(path, ModelKind.of(file.metadata()));
        } catch (IOException | OcellusException e) {
          LOGGER.log(Level.WARNING, "{0} is left out: {1}", path, e.getMessage());
        }
      }
    }
    return kinds;
  }

  private static String name(Path file) {
    return String.valueOf(file.getFileName())
        .replaceFirst("\\.gguf$", "")
        .replaceFirst("-00001-of-\\d+$", "");
  }
}
