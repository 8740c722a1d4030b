package dev.ocellus.vlm.json;

import dev.ocellus.vlm.chat.Content;
import dev.ocellus.vlm.image.ImageLimits;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.codec.DataUrl;
import dev.ocellus.vlm.image.codec.ImageDecoder;
import dev.ocellus.vlm.image.codec.VideoReader;
import java.io.IOException;
import java.net.URI;
import java.nio.file.FileSystemNotFoundException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.OptionalDouble;

/**
 * Brings the images that a conversation refers to. A program that takes conversations from others
 * gives one that reads only what they may see, such as {@link #inlineOnly}.
 */
@FunctionalInterface
public interface ImageLoader {
  /**
   * Loads an image.
   *
   * @param reference as it stands in the conversation: a path, a {@code file:} or a {@code data:}
   *     URL
   * @throws IOException if it cannot be read
   * @throws dev.ocellus.OcellusException if it is refused or is no image
   */
  Content.Image load(String reference) throws IOException;

  /**
   * Loads a video.
   *
   * @param reference as it stands in the conversation
   * @param fps frames per second, if the conversation says it
   * @throws IOException if it cannot be read
   * @throws dev.ocellus.OcellusException if it is refused or is no video
   */
  default Content.Video loadVideo(String reference, OptionalDouble fps) throws IOException {
    throw new MessagesFormatException(
        "no videos are read from files here; found " + DataUrl.shortened(reference));
  }

  /** What the frames of one video may have together. */
  default ImageLimits limits() {
    return ImageLimits.DEFAULT;
  }

  /** Images inside the JSON only, as {@code data:} URLs in base64, and videos of such frames. */
  static ImageLoader inlineOnly(ImageLimits limits) {
    return new ImageLoader() {
      @Override
      public Content.Image load(String reference) {
        if (DataUrl.is(reference)) {
          return new Content.Image(inline(reference, limits), "");
        }
        throw new MessagesFormatException(
            "expected a data: URL, because no files are read here; found "
                + DataUrl.shortened(reference));
      }

      @Override
      public ImageLimits limits() {
        return limits;
      }
    };
  }

  /**
   * Images inside the JSON, and any file that this process may read.
   *
   * @param base directory that relative paths start from
   */
  static ImageLoader files(Path base, ImageLimits limits) {
    return new ImageLoader() {
      @Override
      public Content.Image load(String reference) throws IOException {
        if (DataUrl.is(reference)) {
          return new Content.Image(inline(reference, limits), "");
        }
        Path path = base.resolve(path(reference));
        return new Content.Image(ImageDecoder.decode(path, limits), path.toString());
      }

      @Override
      public Content.Video loadVideo(String reference, OptionalDouble fps) throws IOException {
        Path path = base.resolve(path(reference));
        return new Content.Video(VideoReader.read(path, fps, limits), path.toString());
      }

      @Override
      public ImageLimits limits() {
        return limits;
      }
    };
  }

  private static RgbImage inline(String url, ImageLimits limits) {
    byte[] bytes;
    try {
      bytes = DataUrl.bytes(url);
    } catch (IllegalArgumentException e) {
      throw new MessagesFormatException(String.valueOf(e.getMessage()), e);
    }
    return ImageDecoder.decode(bytes, limits);
  }

  private static Path path(String reference) {
    String lower = reference.toLowerCase(Locale.ROOT);
    try {
      if (lower.startsWith("file:")) {
        return Path.of(URI.create(reference));
      }
      if (lower.matches("[a-z][a-z0-9+.-]+://(?s:.*)")) {
        throw new MessagesFormatException(
            "nothing is fetched from the network. Download the image and give its path, or give the image itself as data:image/…;base64,…; found "
                + DataUrl.shortened(reference));
      }
      return Path.of(reference);
    } catch (InvalidPathException e) {
      throw new MessagesFormatException("not a path: " + DataUrl.shortened(reference), e);
    } catch (IllegalArgumentException | FileSystemNotFoundException e) {
      throw new MessagesFormatException(
          "not a file: URL of this machine (file:///path): " + DataUrl.shortened(reference), e);
    }
  }
}
