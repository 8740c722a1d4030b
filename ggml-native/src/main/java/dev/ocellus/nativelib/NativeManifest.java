package dev.ocellus.nativelib;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The list of files that a bundled package must hold. The build writes it, one entry a line:
 *
 * <pre>
 * ocellus-natives 1
 * platform linux-x64
 * llama.cpp v0.4.0
 * package @node-llama-cpp/linux-x64@3.21.1 sha512-...
 * file SHA-256 SIZE NAME
 * </pre>
 *
 * @param digest of the manifest's own text, so that different contents get different directories
 */
record NativeManifest(String platform, String tag, List<Entry> files, String digest) {
  private static final String FORMAT = "ocellus-natives 1";

  /** Names are plain or one directory deep: a manifest must not write outside its directory. */
  private static final Pattern FILE =
      Pattern.compile(
          "file ([0-9a-f]{64}) ([0-9]{1,12}) ((?:[A-Za-z0-9_-]+/)?[A-Za-z0-9][A-Za-z0-9._-]*)");

  /**
   * One file.
   *
   * @param sha256 in lower-case hexadecimal
   * @param size bytes
   */
  record Entry(String name, long size, String sha256) {}

  static NativeManifest parse(byte[] text, String origin) {
    List<String> lines = new String(text, StandardCharsets.UTF_8).lines().toList();
    if (lines.isEmpty() || !lines.getFirst().equals(FORMAT)) {
      throw corrupt(origin, "its first line is not \"" + FORMAT + "\"");
    }
    String platform = null;
    String tag = null;
    List<Entry> files = new ArrayList<>();
    for (String line : lines.subList(1, lines.size())) {
      Matcher file = FILE.matcher(line);
      if (file.matches()) {
        files.add(new Entry(file.group(3), Long.parseLong(file.group(2)), file.group(1)));
      } else if (line.startsWith("platform ")) {
        platform = line.substring("platform ".length());
      } else if (line.startsWith("llama.cpp ")) {
        tag = line.substring("llama.cpp ".length());
      } else if (line.startsWith("version ")) { // of another library
        tag = line.substring("version ".length());
      } else if (!line.startsWith("package ")) {
        throw corrupt(origin, "it has the line \"" + line + "\"");
      }
    }
    if (files.isEmpty()) {
      throw corrupt(origin, "it lists no files");
    }
    return new NativeManifest(
        present(platform, "platform", origin),
        present(tag, "llama.cpp", origin),
        files,
        sha256(text));
  }

  NativeManifest {
    files = List.copyOf(files);
  }

  /** The name of the directory to unpack into. 64 bits of hash are plenty to tell builds apart. */
  String directoryName() {
    return platform + "-" + tag + "-" + digest.substring(0, 16);
  }

  private static String present(@Nullable String value, String name, String origin) {
    if (value == null || !value.matches("[A-Za-z0-9][A-Za-z0-9._-]{0,63}")) {
      throw corrupt(origin, "it states no valid " + name);
    }
    return value;
  }

  private static NativeLibraryException corrupt(String origin, String what) {
    return new NativeLibraryException(
        "the manifest of bundled files, %s, is damaged: %s. Rebuild or reinstall Ocellus."
            .formatted(origin, what));
  }

  private static String sha256(byte[] text) {
    return HexFormat.of().formatHex(newSha256().digest(text));
  }

  static MessageDigest newSha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e); // every JDK must have SHA-256
    }
  }
}
