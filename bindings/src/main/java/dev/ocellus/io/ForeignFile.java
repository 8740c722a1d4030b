package dev.ocellus.io;

import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;

/** Recognises by its first bytes what a download or a clone leaves in place of any file. */
public final class ForeignFile {
  /** Bytes of the file's start that {@link #recognise} wants to see. */
  public static final int HEAD_BYTES = 512;

  /**
   * What a file seems to be.
   *
   * @param found with its article, for a message
   * @param remedy what to do about it, as a sentence
   */
  public record Description(String found, String remedy) {}

  private ForeignFile() {}

  /**
   * What stands for a file of any kind by mistake; empty if it is nothing that is known.
   *
   * @param head the first bytes of the file, at most {@link #HEAD_BYTES}
   */
  public static Optional<Description> recognise(byte[] head) {
    String text = new String(head, StandardCharsets.ISO_8859_1);
    String lower = text.stripLeading().toLowerCase(Locale.ROOT);
    if (text.startsWith("version https://git-lfs")) {
      return description(
          "a Git LFS pointer, a small text that stands for the file",
          "Run 'git lfs pull' in that repository, or download the file itself.");
    }
    if (lower.startsWith("<!doctype html") || lower.startsWith("<html")) {
      return description(
          "an HTML page, so the download saved a web page instead of the file",
          "Download with the link of the file itself ('resolve' instead of 'blob' in the address), "
              + "logged in where the model asks for it.");
    }
    if (lower.startsWith("<?xml") || lower.startsWith("<error")) {
      return description("an XML document, perhaps a server's error message", "Download it again.");
    }
    if (text.startsWith("\u001f\u008b")) {
      return description("a gzip archive", "Unpack it first (gunzip).");
    }
    if (text.startsWith("(\u00b5/\u00fd")) {
      return description("a zstd archive", "Unpack it first (unzstd).");
    }
    if (text.startsWith("\u00fd7zXZ")) {
      return description("an xz archive", "Unpack it first (unxz).");
    }
    if (!text.isEmpty() && text.chars().allMatch(c -> c == 0)) {
      return description(
          "zeros, as in a file that a download has reserved and not filled",
          "Wait for the download or start it again.");
    }
    return Optional.empty();
  }

  private static Optional<Description> description(String found, String remedy) {
    return Optional.of(new Description(found, remedy));
  }
}
