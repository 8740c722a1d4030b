package dev.ocellus.hub;

import dev.ocellus.hub.StoredModel.StoredFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** Looks through HuggingFace's cache and Ollama's store. */
final class StoredModels {
  private static final String PREFIX = "models--";
  private static final int MANIFEST_DEPTH = 4;

  private final HubSettings settings;

  StoredModels(HubSettings settings) {
    this.settings = settings;
  }

  List<StoredModel> list() throws IOException {
    List<StoredModel> models = new ArrayList<>(hub());
    models.addAll(ollama());
    models.sort(Comparator.comparing(StoredModel::name));
    return models;
  }

  private List<StoredModel> hub() throws IOException {
    List<StoredModel> models = new ArrayList<>();
    for (Path folder : children(settings.cache())) {
      String name = String.valueOf(folder.getFileName());
      if (name.startsWith(PREFIX) && Files.isDirectory(folder.resolve("snapshots"))) {
        List<StoredFile> files = files(folder.resolve("snapshots"));
        if (!files.isEmpty()) {
          models.add(
              new StoredModel(
                  "hf://" + name.substring(PREFIX.length()).replaceFirst("--", "/"),
                  folder,
                  files,
                  size(files)));
        }
      }
    }
    return models;
  }

  private static List<StoredFile> files(Path snapshots) throws IOException {
    List<StoredFile> files = new ArrayList<>();
    for (Path commit : children(snapshots)) {
      try (Stream<Path> all = Files.walk(commit)) {
        for (Path file : (Iterable<Path>) all.sorted()::iterator) {
          if (Files.isRegularFile(file)) {
            files.add(
                new StoredFile(
                    commit.relativize(file).toString().replace('\\', '/'),
                    file,
                    file.toRealPath(),
                    Files.size(file)));
          }
        }
      }
    }
    return files;
  }

  private List<StoredModel> ollama() throws IOException {
    Path manifests = settings.ollamaStore().resolve("manifests");
    List<StoredModel> models = new ArrayList<>();
    if (!Files.isDirectory(manifests)) {
      return models;
    }
    try (Stream<Path> all = Files.walk(manifests, MANIFEST_DEPTH)) {
      for (Path file : (Iterable<Path>) all.sorted()::iterator) {
        Path name = manifests.relativize(file);
        if (name.getNameCount() == MANIFEST_DEPTH && Files.isRegularFile(file)) {
          models.add(ollama(file, name));
        }
      }
    }
    return models;
  }

  private StoredModel ollama(Path manifest, Path name) throws IOException {
    String host = name.getName(0).toString();
    OllamaName ollama =
        new OllamaName(
            host.equals(OllamaName.DEFAULT_HOST) ? Optional.empty() : Optional.of(host),
            name.getName(1).toString(),
            name.getName(2).toString(),
            name.getName(3).toString());
    OllamaStore store = new OllamaStore(settings.ollamaStore());
    List<StoredFile> files = new ArrayList<>();
    for (OllamaStore.Layer layer :
        OllamaStore.needed(OllamaStore.layers(Files.readAllBytes(manifest), ollama.toString()))) {
      Path blob = store.blob(layer);
      if (Files.isRegularFile(blob)) {
        files.add(new StoredFile(layer.kind(), blob, blob, Files.size(blob)));
      }
    }
    return new StoredModel(ollama.toString(), manifest, files, size(files));
  }

  private static long size(List<StoredFile> files) {
    Map<Path, Long> sizes = new LinkedHashMap<>();
    files.forEach(f -> sizes.put(f.blob(), f.size()));
    return sizes.values().stream().mapToLong(Long::longValue).sum();
  }

  /** What is wrong with the files of a model; nothing if each has the hash that its name is. */
  List<String> verify(StoredModel model, PullListener listener) throws IOException {
    List<String> wrong = new ArrayList<>();
    for (StoredFile file : model.files()) {
      String name = String.valueOf(file.blob().getFileName()).replaceFirst("^sha256-", "");
      listener.progress(file.name(), 0, file.size());
      if (!FileHash.isHash(name)) {
        listener.note("%s has no hash in its name and cannot be verified".formatted(file.path()));
      } else if (!new FileHash(name).matches(file.blob())) {
        wrong.add(
            "%s has not the hash of its name; remove it and pull it again".formatted(file.path()));
      }
    }
    return wrong;
  }

  /** Removes a model, but no file that another one needs; gives the bytes that are free now. */
  long remove(StoredModel model) throws IOException {
    if (model.name().startsWith(OllamaName.SCHEME)) {
      return removeFromOllama(model);
    }
    long size = 0;
    try (Stream<Path> all = Files.walk(model.place())) {
      for (Path path : (Iterable<Path>) all.sorted(Comparator.reverseOrder())::iterator) {
        if (Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)) {
          size += Files.size(path);
        }
        Files.delete(path);
      }
    }
    return size;
  }

  private long removeFromOllama(StoredModel model) throws IOException {
    Files.delete(model.place());
    List<Path> needed =
        ollama().stream().flatMap(m -> m.files().stream()).map(StoredFile::blob).toList();
    long size = 0;
    for (StoredFile file : model.files()) {
      if (!needed.contains(file.blob()) && Files.deleteIfExists(file.blob())) {
        size += file.size();
      }
    }
    return size;
  }

  private static List<Path> children(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> all = Files.list(folder)) {
      return all.sorted().toList();
    }
  }
}
