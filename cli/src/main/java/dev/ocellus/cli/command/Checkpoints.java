package dev.ocellus.cli.command;

import dev.ocellus.cli.terminal.Interrupt;
import dev.ocellus.convert.ConvertProgress;
import dev.ocellus.convert.Converter;
import dev.ocellus.convert.cache.CheckpointCache;
import dev.ocellus.nativelib.CacheDirectory;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Lets a HuggingFace checkpoint stand where a model file is asked for. What is told about a
 * converted file is told about its folder.
 */
public final class Checkpoints {
  private Checkpoints() {}

  private interface Conversion<T> {
    T run(CheckpointCache cache, ConvertProgress progress) throws IOException;
  }

  /** The files to load: those that are given, or what a folder is converted to. */
  public static CheckpointCache.Converted resolve(
      OcellusCommand command, Path model, @Nullable Path mmproj) throws IOException {
    if (!isOne(model)) {
      return new CheckpointCache.Converted(model, mmproj);
    }
    CheckpointCache.Converted pair =
        convert(
            command, model, (cache, progress) -> cache.convert(model, mmproj == null, progress));
    command.showAs(pair.text(), model);
    Path encoder = pair.mmproj();
    if (mmproj != null) {
      return new CheckpointCache.Converted(pair.text(), mmproj);
    }
    if (encoder != null) {
      command.showAs(encoder, model);
    }
    return pair;
  }

  /** The text model alone: the file that is given, or what a folder is converted to. */
  public static Path text(OcellusCommand command, Path model) throws IOException {
    return resolve(command, model, model).text();
  }

  /** The file that makes images: the one that is given, or what a folder is converted to. */
  public static Path generator(OcellusCommand command, Path model) throws IOException {
    if (!isOne(model)) {
      return model;
    }
    Path file = convert(command, model, (cache, progress) -> cache.generator(model, progress));
    command.showAs(file, model);
    return file;
  }

  private static <T> T convert(OcellusCommand command, Path model, Conversion<T> conversion)
      throws IOException {
    boolean[] told = new boolean[1];
    try (var interrupt = new Interrupt();
        var progress = command.progress()) {
      return conversion.run(
          new CheckpointCache(CacheDirectory.of("checkpoints")),
          (file, share) -> {
            if (!told[0]) {
              told[0] = true;
              command.note(
                  "converting %s once, into %s; 'ocellus convert' puts the files elsewhere"
                      .formatted(model, file.getParent()));
            }
            progress.report("converting " + model.getFileName(), share);
            return !interrupt.happened();
          });
    }
  }

  /**
   * Whether a model is the folder of a checkpoint.
   *
   * @throws FileSystemException if it is another folder
   */
  public static boolean isOne(Path model) throws IOException {
    if (Converter.isCheckpoint(model)) {
      return true;
    }
    if (Files.isDirectory(model)) {
      throw new FileSystemException(
          model.toString(),
          null,
          "is a folder without config.json, so no checkpoint; give "
              + aGguf(model)
                  .map(file -> "a GGUF file in it, such as " + file.getFileName())
                  .orElse("the folder that holds config.json and the weights, or a GGUF file"));
    }
    return false;
  }

  private static Optional<Path> aGguf(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .filter(file -> file.toString().toLowerCase(Locale.ROOT).endsWith(".gguf"))
          .filter(file -> !String.valueOf(file.getFileName()).contains("mmproj"))
          .min(Path::compareTo);
    }
  }
}
