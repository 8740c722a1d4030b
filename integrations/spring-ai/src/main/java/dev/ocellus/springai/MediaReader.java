package dev.ocellus.springai;

import dev.ocellus.vlm.chat.Attachments;
import dev.ocellus.vlm.chat.Content;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.codec.DataUrl;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.util.List;
import org.springframework.ai.content.Media;
import org.springframework.util.MimeType;

/** Media of Spring AI as parts of a message. */
final class MediaReader {
  private static final MimeType IMAGE = MimeType.valueOf("image/*");

  private final Attachments attachments;

  MediaReader(MediaLoader loader) {
    this.attachments = new Attachments(loader::load);
  }

  /**
   * An image, or the pages of a document.
   *
   * @throws IllegalArgumentException if it is neither, or cannot be read
   * @throws dev.ocellus.vlm.image.ImageFormatException if it is damaged or too large
   */
  List<Content> contents(Media media) {
    if (isImage(media)) {
      return List.of(image(media));
    }
    if (Media.Format.DOC_PDF.isCompatibleWith(media.getMimeType())) {
      return pages(media);
    }
    throw unsupported(media, "images and PDF documents are");
  }

  /**
   * The pixels of an image.
   *
   * @throws IllegalArgumentException if it is none, or cannot be read
   * @throws dev.ocellus.vlm.image.ImageFormatException if it is damaged or too large
   */
  RgbImage pixels(Media media) {
    if (!isImage(media)) {
      throw unsupported(media, "images are");
    }
    return image(media).image();
  }

  private static boolean isImage(Media media) {
    return IMAGE.isCompatibleWith(media.getMimeType());
  }

  private static IllegalArgumentException unsupported(Media media, String what) {
    return new IllegalArgumentException(
        "Media of the type %s are not supported; %s".formatted(media.getMimeType(), what));
  }

  private Content.Image image(Media media) {
    return read(media, attachments::image, attachments::image);
  }

  private List<Content> pages(Media media) {
    return read(media, attachments::pages, attachments::pages);
  }

  private interface Reading<D, T> {
    T read(D data) throws IOException;
  }

  /** Spring AI keeps bytes as they are, and addresses and base64 as strings. */
  private static <T> T read(Media media, Reading<byte[], T> ofBytes, Reading<URI, T> ofAddress) {
    try {
      return switch (media.getData()) {
        case byte[] bytes -> ofBytes.read(bytes);
        case URL url -> ofAddress.read(url.toURI());
        case String text when text.indexOf(':') > 0 -> ofAddress.read(new URI(text));
        case String base64 -> ofBytes.read(DataUrl.base64(base64));
        default ->
            throw new IllegalArgumentException(
                "Media: expected bytes, base64, or an address, found "
                    + media.getData().getClass().getName());
      };
    } catch (URISyntaxException e) {
      throw new IllegalArgumentException("Media are at no valid address: " + e.getMessage(), e);
    } catch (IOException e) {
      throw new IllegalArgumentException("Media cannot be read: " + e.getMessage(), e);
    }
  }
}
