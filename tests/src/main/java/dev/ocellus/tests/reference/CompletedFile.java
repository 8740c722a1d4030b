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
 * llama.cpp's file of an image encoder together with what the checkpoint's processor says and that
 * file has no keys for, as somebody would add it who has only such a file ({@code ocellus edit
 * --set}). Published models need none of it.
 */
final class CompletedEncoder {
  private static final Map<Path, Path> MADE = new ConcurrentHashMap<>();

  private CompletedEncoder() {}

  /**
   * The file to compare.
   *
   * @param checkpoint that the file was made of; the file itself is taken where there is none, or
   *     where nothing is missing
   */
  static Path of(Path mmproj, Path checkpoint) {
    if (!Files.exists(checkpoint.resolve("config.json"))) {
      return mmproj;
    }
    return MADE.computeIfAbsent(mmproj, file -> completed(file, checkpoint));
  }

  private static Path completed(Path mmproj, Path checkpoint) {
    try {
      Path directory = Files.createTempDirectory("ocellus-encoder");
      directory.toFile().deleteOnExit();
      Path made = directory.resolve("mmproj.gguf");
      made.toFile().deleteOnExit();
      Converter.convert(
          checkpoint,
          ConvertOptions.defaults()
              .withParts(false, ConvertOptions.Encoders.YES)
              .withOutput(made, null),
          ConvertProgress.NONE);
      return missing(mmproj, made).isEmpty() ? mmproj : write(mmproj, made);
    } catch (OcellusException e) {
      return mmproj; // no converter for it
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Map<String, GgufValue> missing(Path mmproj, Path made) throws IOException {
    try (GgufFile theirs = GgufFile.open(mmproj);
        GgufFile ours = GgufFile.open(made)) {
      Map<String, GgufValue> missing = new TreeMap<>(ours.metadata().asMap());
      missing.keySet().removeAll(theirs.metadata().asMap().keySet());
      missing.keySet().removeIf(key -> !key.startsWith("clip.vision."));
      return missing;
    }
  }

  private static Path write(Path mmproj, Path made) throws IOException {
    Map<String, GgufValue> missing = missing(mmproj, made);
    Path completed = made.resolveSibling("completed.gguf");
    completed.toFile().deleteOnExit();
    try (GgufFile theirs = GgufFile.open(mmproj)) {
      GgufWriter out = new GgufWriter().putAll(theirs.metadata());
      missing.forEach(out::put);
      for (GgufTensor tensor : theirs.tensors()) {
        out.tensor(tensor);
      }
      out.write(completed);
    }
    return completed;
  }
}
