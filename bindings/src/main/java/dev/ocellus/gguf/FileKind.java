package dev.ocellus.gguf;

import dev.ocellus.io.ForeignFile;
import dev.ocellus.io.ForeignFile.Description;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;

/** Recognises what people pass by mistake where a GGUF file should stand. */
final class FileKind {
  private FileKind() {}

  /**
   * @param head the first bytes of the file, at most {@link ForeignFile#HEAD_BYTES}
   * @param size size of the whole file
   */
  static Description describe(byte[] head, long size) {
    String text = new String(head, StandardCharsets.ISO_8859_1);
    String lower = text.stripLeading().toLowerCase(Locale.ROOT);
    Optional<ForeignFile.Description> foreign = ForeignFile.recognise(head);
    if (foreign.isPresent()) {
      return foreign.get();
    }
    if (isSafetensors(head, size)) {
      return new Description(
          "a safetensors checkpoint", "Convert the model to GGUF, or get its GGUF files.");
    }
    if (text.startsWith("PK\3\4")) {
      return new Description(
          "a ZIP archive (a PyTorch .bin or .pt file is one)",
          "Unpack it, or convert the PyTorch model to GGUF.");
    }
    if (head.length > 1 && head[0] == (byte) 0x80 && head[1] >= 2 && head[1] <= 5) {
      return new Description(
          "a Python pickle (an old PyTorch .bin or .pt file)", "Convert the model to GGUF.");
    }
    for (String old : new String[] {"lmgg", "fmgg", "tjgg", "algg"}) {
      if (text.startsWith(old)) {
        return new Description(
            "a ggml file from before GGUF (magic "
                + new StringBuilder(old).reverse()
                + ", until August 2023)",
            "Get the model as GGUF, or convert it again from the original checkpoint.");
      }
    }
    if (text.startsWith("FUGG")) {
      return new Description(
          "a GGUF file with reversed bytes (big-endian)", "Get the little-endian file.");
    }
    if (text.startsWith("\u0089PNG") || text.startsWith("\u00ff\u00d8\u00ff")) {
      return new Description(
          "an image", "Give the model file here; the image is a part of a message.");
    }
    if (lower.startsWith("{")) {
      return new Description(
          "JSON text, perhaps a configuration or a server's error message",
          "Give the .gguf file, or download it again.");
    }
    return new Description(hex(head), "Give a GGUF file (usually named *.gguf).");
  }

  /** An 8-byte length of a JSON header that fits in the file, then the JSON. */
  private static boolean isSafetensors(byte[] head, long size) {
    if (head.length < 9 || head[8] != '{') {
      return false;
    }
    long n = 0;
    for (int i = 7; i >= 0; i--) {
      n = n << 8 | (head[i] & 0xff);
    }
    return n > 1 && n <= 100_000_000 && n <= size - 8;
  }

  private static String hex(byte[] head) {
    StringBuilder sb = new StringBuilder("the bytes");
    for (int i = 0; i < Math.min(4, head.length); i++) {
      sb.append(" %02x".formatted(head[i] & 0xff));
    }
    return sb.toString();
  }
}
