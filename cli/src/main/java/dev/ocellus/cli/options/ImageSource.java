package dev.ocellus.cli.options;

import dev.ocellus.cli.terminal.Io;
import dev.ocellus.vlm.chat.Content;
import dev.ocellus.vlm.image.ImageLimits;
import dev.ocellus.vlm.image.codec.DataUrl;
import dev.ocellus.vlm.image.codec.ImageDecoder;
import dev.ocellus.vlm.image.document.Document;
import dev.ocellus.vlm.json.ImageLoader;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * An image as the command line names it: a path, {@code -} for standard input, or a {@code file:}
 * or {@code data:} URL.
 *
 * @param document whose page it is; null for an image of its own
 * @param page from 1
 */
public record ImageSource(String name, @Nullable Document document, int page) {
  public static final String STANDARD_INPUT = "-";

  public ImageSource(String name) {
    this(name, null, 1);
  }

  /**
   * Reads the image. Standard input and pipes can be read once.
   *
   * @throws IOException if it cannot be read
   * @throws dev.ocellus.OcellusException if it is no image
   */
  public Content.Image read(Io io) throws IOException {
    if (document != null) {
      boolean named = !name.equals(STANDARD_INPUT);
      return new Content.Image(document.page(page), named ? toString() : "");
    }
    if (name.equals(STANDARD_INPUT)) {
      return new Content.Image(
          ImageDecoder.decode(io.in(), "standard input", ImageLimits.DEFAULT), "");
    }
    return ImageLoader.files(Path.of(""), ImageLimits.DEFAULT).load(name);
  }

  public boolean isInline() {
    return DataUrl.is(name);
  }

  /** The image as it was named, with its page; of a {@code data:} URL only the beginning. */
  @Override
  public String toString() {
    String shown = name.length() <= 200 || !isInline() ? name : name.substring(0, 60) + "…";
    return document != null && document.nPages() > 1 ? shown + "#page=" + page : shown;
  }
}
