package dev.ocellus.langchain4j;

import dev.langchain4j.data.image.Image;
import dev.langchain4j.exception.InvalidRequestException;
import dev.ocellus.vlm.chat.Content;
import dev.ocellus.vlm.image.ImageLimits;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.codec.ImageDecoder;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.Base64;

/** Decodes the images of messages. */
final class Images {
  private static final ImageLimits LIMITS = ImageLimits.DEFAULT;

  private final ImageLoader loader;

  Images(ImageLoader loader) {
    this.loader = loader;
  }

  Content.Image content(Image image) {
    return new Content.Image(decode(image), image.url() == null ? "" : shown(image.url()));
  }

  /**
   * Pixels.
   *
   * @throws InvalidRequestException if it cannot be read
   */
  RgbImage decode(Image image) {
    try {
      return image.base64Data() != null
          ? ImageDecoder.decode(base64(image.base64Data()), LIMITS)
          : byAddress(image.url());
    } catch (IOException e) {
      throw new InvalidRequestException("An image cannot be read: " + e.getMessage(), e);
    }
  }

  private RgbImage byAddress(URI address) throws IOException {
    String scheme = address.getScheme() == null ? "" : address.getScheme();
    return switch (scheme) {
      case "data" -> {
        String all = address.toString();
        int comma = all.indexOf(";base64,");
        if (comma < 0) {
          throw new IOException("its data: address is not in base64");
        }
        yield ImageDecoder.decode(base64(all.substring(comma + 8)), LIMITS);
      }
      case "file" -> ImageDecoder.decode(Path.of(address));
      default -> ImageDecoder.decode(loader.load(address), LIMITS);
    };
  }

  private static byte[] base64(String text) throws IOException {
    try {
      return Base64.getMimeDecoder().decode(text);
    } catch (IllegalArgumentException e) {
      throw new IOException("it is not valid base64: " + e.getMessage(), e);
    }
  }

  /** Not a whole data URL. */
  private static String shown(URI address) {
    return "data".equals(address.getScheme()) ? "" : address.toString();
  }
}
