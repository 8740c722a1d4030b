package dev.ocellus.gguf;

import java.nio.charset.StandardCharsets;
import java.util.Locale;

/** Recognises what people pass by mistake where a GGUF file should stand. */
final class FileKind {
  /** Bytes of the file's start that {@link #describe} wants to see. */
  static final int HEAD_BYTES = 512;

  /** What the file seems to be, and what to do about it. */
  record Guess(String found, String remedy) {}

  private FileKind() {}

  /**
   * @param head the first bytes of the file, at most {@link #HEAD_BYTES}
   * @param size size of the whole file
   */
  static Guess describe(byte[] head, long size) {
    String text = new String(head, StandardCharsets.ISO_8859_1);
    String lower = text.stripLeading().toLowerCase(Locale.ROOT);
    if (text.startsWith("version https://git-lfs")) {
      return new Guess(
          "a Git LFS pointer, a small text that stands for the model",
          "Run 'git lfs pull' in that repository, or download the file itself.");
    }
    if (lower.startsWith("<!doctype html") || lower.startsWith("<html")) {
      return new Guess(
          "an HTML page, so the download saved a web page instead of the model",
          "Download with the link of the file itself ('resolve' instead of 'blob' in the address), "
              + "logged in where the model asks for it.");
    }
    if (lower.startsWith("<?xml") || lower.startsWith("<error")) {
      return new Guess("an XML document, perhaps a server's error message", "Download it again.");
    }
    if (isSafetensors(head, size)) {
      return new Guess(
          "a safetensors checkpoint", "Convert the model to GGUF, or get its GGUF files.");
    }
    if (text.startsWith("PK\3\4")) {
      return new Guess(
          "a ZIP archive (a PyTorch .bin or .pt file is one)",
          "Unpack it, or convert the PyTorch model to GGUF.");
    }
    if (head.length > 1 && head[0] == (byte) 0x80 && head[1] >= 2 && head[1] <= 5) {
      return new Guess(
          "a Python pickle (an old PyTorch .bin or .pt file)", "Convert the model to GGUF.");
    }
    for (String old : new String[] {"lmgg", "fmgg", "tjgg", "algg"}) {
      if (text.startsWith(old)) {
        return new Guess(
            "a ggml file from before GGUF (magic "
                + new StringBuilder(old).reverse()
                + ", until August 2023)",
            "Get the model as GGUF, or convert it again from the original checkpoint.");
      }
    }
    if (text.startsWith("FUGG")) {
      return new Guess(
          "a GGUF file with reversed bytes (big-endian)", "Get the little-endian file.");
    }
    if (text.startsWith("\u001f\u008b")) {
      return new Guess("a gzip archive", "Unpack it first (gunzip).");
    }
    if (text.startsWith("(\u00b5/\u00fd")) {
      return new Guess("a zstd archive", "Unpack it first (unzstd).");
    }
    if (text.startsWith("\u00fd7zXZ")) {
      return new Guess("an xz archive", "Unpack it first (unxz).");
    }
    if (text.startsWith("\u0089PNG") || text.startsWith("\u00ff\u00d8\u00ff")) {
      return new Guess("an image", "Give the model file here; the image is a part of a message.");
    }
    if (lower.startsWith("{")) {
      return new Guess(
          "JSON text, perhaps a configuration or a server's error message",
          "Give the .gguf file, or download it again.");
    }
    if (text.chars().allMatch(c -> c == 0)) {
      return new Guess(
          "zeros, as in a file that a download has reserved and not filled",
          "Wait for the download or start it again.");
    }
    return new Guess(hex(head), "Give a GGUF file (usually named *.gguf).");
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
