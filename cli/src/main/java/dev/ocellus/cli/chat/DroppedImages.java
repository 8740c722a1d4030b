package dev.ocellus.cli.chat;

import java.net.URI;
import java.nio.file.FileSystemNotFoundException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Images whose paths were dropped or pasted into a line, as terminals write them: in quotes, with
 * escaped spaces, or as file: URLs. A word is an image if it has the ending of one and there is
 * such a file; everything else stays text.
 *
 * @param text the line without them
 * @param images in the order of the line
 */
record DroppedImages(String text, List<Path> images) {
  private static final List<String> ENDINGS =
      List.of(".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp");

  /** A quoted word, or one in which a backslash escapes what follows it. */
  private static final Pattern WORD =
      Pattern.compile("'([^']*)'|\"([^\"]*)\"|((?:\\\\.|[^\\s'\"\\\\])+)");

  static DroppedImages of(String line) {
    List<Path> images = new ArrayList<>();
    Path whole = image(line.strip()); // a path with spaces that were not escaped
    if (whole != null) {
      return new DroppedImages("", List.of(whole));
    }
    StringBuilder text = new StringBuilder();
    int at = 0;
    Matcher words = WORD.matcher(line);
    while (words.find()) {
      Path path = image(content(words));
      if (path != null) {
        images.add(path);
        text.append(line, at, words.start());
        at = words.end();
      }
    }
    text.append(line.substring(at));
    return new DroppedImages(images.isEmpty() ? line : text.toString().strip(), images);
  }

  private static String content(Matcher word) {
    for (int group = 1; group <= 2; group++) {
      String quoted = word.group(group);
      if (quoted != null) {
        return quoted;
      }
    }
    return word.group(3).replaceAll("\\\\(.)", "$1");
  }

  private static @Nullable Path image(String word) {
    String lower = word.toLowerCase(Locale.ROOT);
    if (ENDINGS.stream().noneMatch(lower::endsWith)) {
      return null;
    }
    try {
      Path path =
          lower.startsWith("file:")
              ? Path.of(URI.create(word.replace(" ", "%20")))
              : ReplCommands.path(word);
      return Files.isRegularFile(path) ? path : null;
    } catch (InvalidPathException | FileSystemNotFoundException e) {
      return null;
    } catch (IllegalArgumentException e) {
      return null; // not a URL of this machine
    }
  }
}
