package dev.ocellus.vlm.vision;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.Video;
import dev.ocellus.vlm.image.Visual;

/**
 * A vision encoder with its projector: how an image becomes rows that a text model decodes.
 *
 * <p>An instance is made from a file's metadata and weights, and is immutable afterwards.
 */
public interface VisionArchitecture {
  /** Short name for people, such as {@code llava}. */
  String name();

  /** Floats of one row, which must be the text model's embedding width. */
  int width();

  /** What chat templates write where an image stands. */
  String imageMarker();

  /**
   * Text in front of every image that is tokenized in one piece with what stands before it, since
   * both may share a token. Control tokens are allowed in it. Text that begins and ends with
   * control tokens may as well be a part of the image's layout.
   */
  default String textBeforeImage() {
    return "";
  }

  /**
   * The same for architectures that number the images of a conversation.
   *
   * @param index number of the image, from 0
   */
  default String textBeforeImage(int index) {
    return textBeforeImage();
  }

  /** As {@link #textBeforeImage()}, behind every image. */
  default String textAfterImage() {
    return "";
  }

  /**
   * The marker with all that belongs around it, as published templates write it: for templates that
   * have no place for images.
   */
  default String writtenImage() {
    return imageMarker() + "\n";
  }

  /** What published chat templates write where a video stands; empty if the model takes none. */
  default String videoMarker() {
    return "";
  }

  /**
   * How the place of a video is written.
   *
   * @throws UnsupportedContentException if the model takes no videos
   */
  default ImagePlaceholder place(Video video) {
    throw UnsupportedContentException.noVideo(this);
  }

  /**
   * How the place of an image or video is written.
   *
   * @param nImages images before it in the conversation
   * @param options as it is prepared
   */
  default ImagePlaceholder place(Visual visual, int nImages, ImageOptions options) {
    return switch (visual) {
      case RgbImage image -> place(image, nImages, options);
      case Video video -> place(video);
    };
  }

  /** As {@link #place(Visual, int, ImageOptions)}. */
  default ImagePlaceholder place(RgbImage image, int nImages, ImageOptions options) {
    return new ImagePlaceholder(
        imageMarker(), textBeforeImage(nImages), textAfterImage(), writtenImage());
  }

  /** Whether long images can be followed by crops of them. */
  default boolean pansAndScans() {
    return false;
  }

  /** The chat template to use when the text model's file has none. */
  String defaultChatTemplate();

  /**
   * Resizes, crops, tiles and normalizes an image as the reference's processor does.
   *
   * @throws dev.ocellus.vlm.image.ImageFormatException if the image breaks a rule of this
   *     architecture
   */
  ImageInput prepare(RgbImage image);

  /**
   * The same with options, of which an architecture looks at those that it has a choice in.
   *
   * @throws dev.ocellus.vlm.image.ImageFormatException as {@link #prepare(RgbImage)}
   */
  default ImageInput prepare(RgbImage image, ImageOptions options) {
    return prepare(image);
  }

  /**
   * Takes frames from a video and prepares them as the reference's video processor does.
   *
   * @throws UnsupportedContentException if the model takes no videos
   * @throws dev.ocellus.vlm.image.ImageFormatException as {@link #prepare(RgbImage)}
   */
  default ImageInput prepare(Video video, ImageOptions options) {
    throw UnsupportedContentException.noVideo(this);
  }

  /**
   * Adds the encoder and projector to a graph.
   *
   * @return [{@link #width()}, rows per tile, tiles]
   */
  Tensor forward(EncoderGraph graph);

  /**
   * Brings the rows of all tiles into the order in which the text model sees them. Most
   * architectures leave them as they are; some cut padding away or put separators between lines.
   *
   * @param rows what {@link #forward} gave for the image's tiles, one after the other
   * @return as many rows as the image's layout has
   */
  default float[] arrange(ImageInput image, float[] rows) {
    return rows;
  }

  /** Whether the rows of an image see each other in the text model, and not only those before. */
  default boolean usesNonCausalImageAttention() {
    return false;
  }

  /**
   * Whether everything in a prompt, text and images, sees everything else in it. The answer sees
   * what stands before, as usual. Such a prompt is computed at once, and anew when it has changed.
   */
  default boolean usesBidirectionalPrefix() {
    return false;
  }
}
