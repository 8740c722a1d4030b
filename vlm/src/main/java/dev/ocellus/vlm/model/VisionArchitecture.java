package dev.ocellus.vlm.model;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.Video;
import dev.ocellus.vlm.image.Visual;

/**
 * A vision encoder with its projector: how a picture becomes rows that a text model decodes.
 *
 * <p>An instance is made from a file's metadata and weights, and is immutable afterwards.
 */
public interface VisionArchitecture {
  /** Short name for people, such as {@code llava}. */
  String name();

  /** Floats of one row, which must be the text model's embedding width. */
  int width();

  /** What chat templates write where a picture stands. */
  String imageMarker();

  /**
   * Text in front of every picture that is tokenized in one piece with what stands before it, since
   * both may share a token. Control tokens are allowed in it. Text that begins and ends with
   * control tokens may as well be a part of the picture's layout.
   */
  default String textBeforeImage() {
    return "";
  }

  /**
   * The same for architectures that number the pictures of a conversation.
   *
   * @param index number of the picture, from 0
   */
  default String textBeforeImage(int index) {
    return textBeforeImage();
  }

  /** As {@link #textBeforeImage()}, behind every picture. */
  default String textAfterImage() {
    return "";
  }

  /**
   * The marker with all that belongs around it, as published templates write it: for templates that
   * have no place for pictures.
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
  default VisualPlace place(Video video) {
    throw Architectures.takesNoVideo(this);
  }

  /**
   * How the place of a picture or video is written.
   *
   * @param nImages pictures before it in the conversation
   * @param options as it is prepared
   */
  default VisualPlace place(Visual visual, int nImages, ImageOptions options) {
    return switch (visual) {
      case RgbImage image -> place(image, nImages, options);
      case Video video -> place(video);
    };
  }

  /** As {@link #place(Visual, int, ImageOptions)}. */
  default VisualPlace place(RgbImage image, int nImages, ImageOptions options) {
    return new VisualPlace(
        imageMarker(), textBeforeImage(nImages), textAfterImage(), writtenImage());
  }

  /** Whether long pictures can be followed by crops of them. */
  default boolean pansAndScans() {
    return false;
  }

  /** The chat template to use when the text model's file has none. */
  String defaultChatTemplate();

  /**
   * Resizes, crops, tiles and normalizes a picture as the reference's processor does.
   *
   * @throws dev.ocellus.vlm.image.ImageFormatException if the picture breaks a rule of this
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
    throw Architectures.takesNoVideo(this);
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
   * @param rows what {@link #forward} gave for the picture's tiles, one after the other
   * @return as many rows as the picture's layout has
   */
  default float[] arrange(ImageInput image, float[] rows) {
    return rows;
  }

  /** Whether the rows of a picture see each other in the text model, and not only those before. */
  default boolean rowsSeeEachOther() {
    return false;
  }

  /**
   * Whether everything in a prompt, text and pictures, sees everything else in it. The answer sees
   * what stands before, as usual. Such a prompt is computed at once, and anew when it has changed.
   */
  default boolean promptSeesItself() {
    return false;
  }
}
