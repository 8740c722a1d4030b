package dev.ocellus.tests.reference;

import dev.ocellus.OcellusException;
import dev.ocellus.convert.ConvertOptions;
import dev.ocellus.convert.ConvertProgress;
import dev.ocellus.convert.Converter;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufTensor;
import dev.ocellus.gguf.GgufValue;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/**
 * llama.cpp's file of a model together with what the checkpoint says and that file has no keys for,
 * as somebody would add it who has only such a file ({@code ocellus edit --set}). Published models
 * need none of it.
 */
final class CompletedFile {
  private static final Map<Path, Path> MADE = new ConcurrentHashMap<>();

  /** Of text models, what of another family's file means nothing. */
  private static final String TEXT = "llama4.";

  private CompletedFile() {}

  /**
   * The image encoder to compare.
   *
   * @param checkpoint that the file was made of; the file itself is taken where there is none, or
   *     where nothing is missing
   */
  static Path encoder(Path mmproj, Path checkpoint) {
    return of(mmproj, checkpoint, "clip.vision.", false, ConvertOptions.Encoders.YES);
  }

  /** The text model to compare, likewise. */
  static Path text(Path text, Path checkpoint) {
    try (GgufFile file = GgufFile.open(text)) {
      if (!file.metadata().string("general.architecture", "").equals("llama4")) {
        return text;
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return of(text, checkpoint, TEXT, true, ConvertOptions.Encoders.NO);
  }

  private static Path of(
      Path file, Path checkpoint, String keys, boolean text, ConvertOptions.Encoders encoders) {
    if (!Files.exists(checkpoint.resolve("config.json"))) {
      return file;
    }
    return MADE.computeIfAbsent(file, f -> completed(f, checkpoint, keys, text, encoders));
  }

  private static Path completed(
      Path file, Path checkpoint, String keys, boolean text, ConvertOptions.Encoders encoders) {
    try {
      Path directory = Files.createTempDirectory("ocellus-completed");
      directory.toFile().deleteOnExit();
      Path made = directory.resolve(file.getFileName());
      made.toFile().deleteOnExit();
      Converter.convert(
          checkpoint,
          ConvertOptions.defaults().withParts(text, encoders).withOutput(made, null),
          ConvertProgress.NONE);
      return written(file, made, keys);
    } catch (OcellusException e) {
      return file; // no converter for it
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Path written(Path file, Path made, String keys) throws IOException {
    try (GgufFile theirs = GgufFile.open(file);
        GgufFile ours = GgufFile.open(made)) {
      Map<String, GgufValue> missing = new TreeMap<>(ours.metadata().asMap());
      missing.keySet().removeAll(theirs.metadata().asMap().keySet());
      missing.keySet().removeIf(key -> !key.startsWith(keys));
      if (missing.isEmpty()) {
        return file;
      }
      Path completed = made.resolveSibling("completed.gguf");
      completed.toFile().deleteOnExit();
      GgufWriter out = new GgufWriter().putAll(theirs.metadata());
      missing.forEach(out::put);
      for (GgufTensor tensor : theirs.tensors()) {
        out.tensor(tensor);
      }
      out.write(completed);
      return completed;
    }
  }
}
