package dev.ocellus.cli.generate;

import dev.ocellus.cli.command.OcellusCommand;
import dev.ocellus.vlm.image.ImageSize;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Sizes of images as options give them. */
final class Sizes {
  private static final Pattern SIZE = Pattern.compile("(\\d{1,5})(?:[x×](\\d{1,5}))?");

  private Sizes() {}

  /** {@code 512x256}, or one number for a square. */
  static ImageSize parse(OcellusCommand command, String option, String text) {
    Matcher m = SIZE.matcher(text);
    if (m.matches()) {
      int width = Integer.parseInt(m.group(1));
      int height = m.group(2) == null ? width : Integer.parseInt(m.group(2));
      if (width > 0 && height > 0) {
        return new ImageSize(width, height);
      }
    }
    throw command.usage(
        "%s: expected a width and a height such as 512x256, found '%s'".formatted(option, text));
  }
}
