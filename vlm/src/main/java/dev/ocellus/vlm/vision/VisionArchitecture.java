package dev.ocellus.vlm.vision;

import dev.ocellus.Setting;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.Video;
import dev.ocellus.vlm.image.Visual;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A vision family with the weights of a file: how its images stand in a prompt, how they are
 * prepared, and what is computed from them.
 *
 * @param name short name for people, such as {@code llava}
 * @param promptFormat how images and videos stand in a prompt
 * @param preprocessor how they become tiles
 * @param graph what is computed from the tiles
 * @param attention how the text model attends to a prompt
 * @param instructions what is computed of the graph's states and an instruction; null where images
 *     become the same embeddings whatever is asked
 */
public record VisionArchitecture(
    String name,
    ImagePromptFormat promptFormat,
    ImagePreprocessor preprocessor,
    VisionGraph graph,
    PromptAttention attention,
    @Nullable InstructionGraph instructions) {
  /** A family whose text model is causal throughout. */
  public VisionArchitecture(
      String name,
      ImagePromptFormat promptFormat,
      ImagePreprocessor preprocessor,
      VisionGraph graph) {
    this(name, promptFormat, preprocessor, graph, PromptAttention.CAUSAL);
  }

  /** A family whose images become the same embeddings whatever is asked. */
  public VisionArchitecture(
      String name,
      ImagePromptFormat promptFormat,
      ImagePreprocessor preprocessor,
      VisionGraph graph,
      PromptAttention attention) {
    this(name, promptFormat, preprocessor, graph, attention, null);
  }

  /**
   * @throws IllegalArgumentException if only one of format and preprocessor takes videos
   */
  public VisionArchitecture {
    if (preprocessor.takesVideos() != (promptFormat.videoMarker() != null)) {
      throw new IllegalArgumentException(
          name + ": preprocessor and prompt format must both take videos, or neither");
    }
  }

  /** Floats of an image embedding, which must be the embedding width of the text model. */
  public int width() {
    return instructions == null ? graph.width() : instructions.width();
  }

  /**
   * @throws UnsupportedContentException if the options ask for what the family cannot do
   */
  public void require(ImageOptions options) {
    if (options.panAndScan() && !preprocessor.hasPanAndScan()) {
      throw new UnsupportedContentException(
              "Models of the family %s have no pan and scan; those of Gemma 3 do. Many others cut large images by themselves."
                  .formatted(name))
          .about(Setting.PAN_AND_SCAN);
    }
  }

  /**
   * Prepares an image or a video as the reference does.
   *
   * @throws UnsupportedContentException if the family takes no videos, or the options ask for what
   *     it cannot do
   * @throws dev.ocellus.vlm.image.ImageFormatException if it breaks a rule of the family
   */
  public ImageInput prepare(Visual visual, ImageOptions options) {
    require(options);
    return switch (visual) {
      case RgbImage image -> preprocessor.prepare(image, options);
      case Video video -> preprocessor.prepare(taken(video), options);
    };
  }

  /**
   * The images as the encoder gets them: one for each tile, or each frame of a video, in order. A
   * last frame that stands for two of a pair is there twice.
   *
   * @param input of {@link #prepare}
   * @throws UnsupportedContentException if this family's tiles cannot be shown
   */
  public List<RgbImage> shown(ImageInput input) {
    Normalize normalize = preprocessor.normalize();
    if (normalize == null) {
      throw new UnsupportedContentException(
          "What the encoder of the family %s gets of this cannot be shown as images."
              .formatted(name));
    }
    return PreprocessedImages.of(input, normalize);
  }

  /**
   * Ids of an instruction, as the encoder takes them beside an image; none where it takes none.
   *
   * @throws UnsupportedContentException if it is longer than the encoder can read
   */
  public List<Integer> instruction(String text) {
    return instructions == null ? List.of() : instructions.tokenize(text);
  }

  /**
   * How the place of an image or video is written.
   *
   * @param nBefore images before an image in the conversation, videos before a video
   * @param options as it is prepared
   * @throws UnsupportedContentException if it is a video, and the family takes none
   */
  public ImagePlaceholder place(Visual visual, int nBefore, ImageOptions options) {
    return switch (visual) {
      case RgbImage image -> promptFormat.place(image, nBefore, options);
      case Video video -> promptFormat.place(taken(video), nBefore);
    };
  }

  private Video taken(Video video) {
    if (!preprocessor.takesVideos()) {
      throw new UnsupportedContentException(
          "Models of the family %s take no videos. Give some frames as images instead."
              .formatted(name));
    }
    return video;
  }
}
