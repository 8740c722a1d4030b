package dev.ocellus.langchain4j;

import dev.langchain4j.data.image.Image;
import dev.langchain4j.data.pdf.PdfFile;
import dev.langchain4j.exception.InvalidRequestException;
import dev.ocellus.vlm.chat.Attachments;
import dev.ocellus.vlm.chat.Content;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.codec.DataUrl;
import java.io.IOException;
import java.util.List;

/** The images of messages, and the pages of their documents. */
final class Images {
  private final Attachments attachments;

  Images(ImageLoader loader) {
    this.attachments = new Attachments(loader::load);
  }

  /**
   * An image.
   *
   * @throws InvalidRequestException if it cannot be read
   */
  Content.Image content(Image image) {
    return reading(
        "An image",
        () ->
            image.base64Data() != null
                ? attachments.image(base64(image.base64Data()))
                : attachments.image(image.url()));
  }

  /** Its pixels. */
  RgbImage decode(Image image) {
    return content(image).image();
  }

  /**
   * The pages of a document, an image each.
   *
   * @throws InvalidRequestException if it cannot be read, or has too many
   */
  List<Content> pages(PdfFile file) {
    return reading(
        "A PDF document",
        () ->
            file.base64Data() != null
                ? attachments.pages(base64(file.base64Data()))
                : attachments.pages(file.url()));
  }

  private interface Reading<T> {
    T read() throws IOException;
  }

  private static <T> T reading(String what, Reading<T> reading) {
    try {
      return reading.read();
    } catch (IOException e) {
      throw new InvalidRequestException(what + " cannot be read: " + e.getMessage(), e);
    }
  }

  private static byte[] base64(String text) throws IOException {
    try {
      return DataUrl.base64(text);
    } catch (IllegalArgumentException e) {
      throw new IOException(e.getMessage(), e);
    }
  }
}
