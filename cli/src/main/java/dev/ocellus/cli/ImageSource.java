package dev.ocellus.cli;

import dev.ocellus.vlm.chat.Content;
import dev.ocellus.vlm.image.ImageLimits;
import dev.ocellus.vlm.image.codec.ImageDecoder;
import dev.ocellus.vlm.json.ImageLoader;
import java.io.IOException;
import java.nio.file.Path;

/**
 * An image as the command line names it: a path, {@code -} for standard input, or a {@code file:}
 * or {@code data:} URL.
 */
record ImageSource(String name) {
  private static final String STANDARD_INPUT = "-";

  /**
   * Reads the image. Standard input and pipes can be read once.
   *
   * @throws IOException if it cannot be read
   * @throws dev.ocellus.OcellusException if it is no image
   */
  Content.Image read(Io io) throws IOException {
    if (name.equals(STANDARD_INPUT)) {
      return new Content.Image(
          ImageDecoder.decode(io.in(), "standard input", ImageLimits.DEFAULT), "");
    }
    return ImageLoader.files(Path.of(""), ImageLimits.DEFAULT).load(name);
  }

  /** The image as it was named; of a {@code data:} URL only the beginning. */
  @Override
  public String toString() {
    return name.length() <= 200 || !name.startsWith("data:") ? name : name.substring(0, 60) + "…";
  }
}
