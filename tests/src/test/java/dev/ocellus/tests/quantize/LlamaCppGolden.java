package dev.ocellus.tests.quantize;

import dev.ocellus.quantize.imatrix.Importance;
import dev.ocellus.quantize.imatrix.ImportanceMatrix;
import java.io.IOException;
import java.io.InputStream;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;

/** What llama.cpp's tools gave. */
final class LlamaCppGolden {
  /** The text model that the files here were made from: F16, two layers of width 256. */
  static final Path TEXT = Path.of("golden/models/llava-1.5/gguf/text.gguf");

  static final Path MMPROJ = Path.of("golden/models/llava-1.5/gguf/mmproj.gguf");

  private LlamaCppGolden() {}

  static Path file(String name) {
    try {
      return Path.of(Objects.requireNonNull(LlamaCppGolden.class.getResource(name), name).toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  static List<String[]> lines(String name) throws IOException {
    try (InputStream in =
        Objects.requireNonNull(LlamaCppGolden.class.getResourceAsStream(name), name)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .map(line -> line.split("\t"))
          .toList();
    }
  }

  /** Of llama-imatrix, for {@link #TEXT}. */
  static Importance importance() throws IOException {
    return ImportanceMatrix.read(file("imatrix.gguf")).importance("imatrix.gguf");
  }

  static String sha256(String text) {
    return sha256(text.getBytes(StandardCharsets.UTF_8));
  }

  static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
