package dev.ocellus.spark;

import dev.ocellus.hub.HubSettings;
import dev.ocellus.hub.ModelFiles;
import dev.ocellus.hub.ModelHub;
import dev.ocellus.hub.PullListener;
import dev.ocellus.vlm.DemoModel;
import dev.ocellus.vlm.options.LoadOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.SparkFiles;
import org.jspecify.annotations.Nullable;

/**
 * The files of a model on this machine, with the hashes that were asked for.
 *
 * @param sha256 of each file
 */
record LocatedModel(Path model, @Nullable Path mmproj, List<String> sha256) {
  /**
   * Finds them and reads them through once, which also brings them into the system's cache.
   *
   * @throws ModelException if they are not here, or have other hashes
   */
  static LocatedModel find(ModelSource source) throws IOException {
    return switch (source.kind()) {
      case SHARED -> checked(source, Path.of(source.model()), path(source.mmproj()));
      case SHIPPED -> {
        String mmproj = source.mmproj();
        yield checked(source, shipped(source.model()), mmproj == null ? null : shipped(mmproj));
      }
      case NAMED -> {
        ModelFiles files = named(source.model());
        yield checked(source, files.model(), files.mmproj().orElse(null));
      }
      case DEMO -> {
        LoadOptions demo = DemoModel.files();
        yield checked(source, demo.model(), demo.mmproj());
      }
      case DEMO_DUAL_ENCODER -> checked(source, DemoModel.dualEncoder(), null);
    };
  }

  private static Path shipped(String name) {
    return Path.of(SparkFiles.get(name));
  }

  private static @Nullable Path path(@Nullable String name) {
    return name == null ? null : Path.of(name);
  }

  private static ModelFiles named(String name) throws IOException {
    try (ModelHub hub = ModelHub.open(HubSettings.fromEnvironment())) {
      return hub.get(name, PullListener.NONE);
    }
  }

  private static LocatedModel checked(ModelSource source, Path model, @Nullable Path mmproj)
      throws IOException {
    List<Path> files = mmproj == null ? List.of(model) : List.of(model, mmproj);
    List<String> expected = source.expected();
    if (!expected.isEmpty() && expected.size() != files.size()) {
      throw new ModelException(
          "%s: expected a model of %d file(s), found %s".formatted(source, expected.size(), files),
          null);
    }
    List<String> found = new ArrayList<>();
    for (Path file : files) {
      if (!Files.isRegularFile(file)) {
        throw new ModelException(
            "%s is not a file on this machine. Put the model at a path that all executors see (ModelSource.shared), send it with --files (ModelSource.shipped), or name it (ModelSource.named)."
                .formatted(file),
            null);
      }
      String hash = FileHashes.of(file);
      if (!expected.isEmpty() && !hash.equals(expected.get(found.size()))) {
        throw new ModelException(
            "%s has the SHA-256 %s, expected %s; this machine has another or a damaged copy"
                .formatted(file, hash, expected.get(found.size())),
            null);
      }
      found.add(hash);
    }
    return new LocatedModel(model, mmproj, List.copyOf(found));
  }

  String hash() {
    return FileHashes.ofModel(sha256);
  }
}
