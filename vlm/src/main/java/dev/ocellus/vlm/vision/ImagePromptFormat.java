package dev.ocellus.vlm.vision;

import dev.ocellus.vlm.grounding.VisionTasks;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.Video;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** How the images and videos of a conversation stand in the prompts of a family. */
public interface ImagePromptFormat {
  /** What published chat templates write where an image stands. */
  String imageMarker();

  /** What published chat templates write where a video stands; null if the family takes none. */
  default @Nullable String videoMarker() {
    return null;
  }

  /**
   * Control tokens that stand for images and the like. Where the model writes one of them itself,
   * the reference goes on with padding in its stead; none for families that do not.
   */
  default List<String> paddedTokens() {
    return List.of();
  }

  /**
   * Control tokens that people write in their messages, since the family is asked by them; all
   * others are text there.
   */
  default Set<String> tokensOfPeople() {
    return Set.of();
  }

  /** The chat template for text models of the family whose files bring none. */
  ChatTemplateName defaultTemplate();

  /** The tasks that the family was trained for; null if it answers whatever is asked. */
  default @Nullable VisionTasks tasks() {
    return null;
  }

  /** How the family is asked for the text of a page, the best way first; empty if nobody says. */
  default List<OcrPrompt> ocrPrompts() {
    return List.of();
  }

  /**
   * How the place of an image is written.
   *
   * @param nImages images before it in the conversation
   * @param options as it is prepared
   */
  ImagePlaceholder place(RgbImage image, int nImages, ImageOptions options);

  /**
   * How the place of a video is written, for families that have a {@link #videoMarker}.
   *
   * @param nVideos videos before it in the conversation
   * @throws UnsupportedOperationException if this one has none
   */
  default ImagePlaceholder place(Video video, int nVideos) {
    throw new UnsupportedOperationException("no place for videos");
  }
}
