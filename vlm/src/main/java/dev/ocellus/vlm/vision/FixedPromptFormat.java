package dev.ocellus.vlm.vision;

import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.Video;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The format of families that write every image alike, and every video.
 *
 * @param image the place of an image
 * @param video the place of a video; null if the family takes none
 * @param defaultTemplate as {@link ImagePromptFormat#defaultTemplate()}
 * @param ocrPrompts as {@link ImagePromptFormat#ocrPrompts()}
 */
public record FixedPromptFormat(
    ImagePlaceholder image,
    @Nullable ImagePlaceholder video,
    ChatTemplateName defaultTemplate,
    List<OcrPrompt> ocrPrompts)
    implements ImagePromptFormat {
  public FixedPromptFormat {
    ocrPrompts = List.copyOf(ocrPrompts);
  }

  /** For a family of which nobody says how it reads pages. */
  public FixedPromptFormat(
      ImagePlaceholder image, @Nullable ImagePlaceholder video, ChatTemplateName defaultTemplate) {
    this(image, video, defaultTemplate, List.of());
  }

  /** For a family that takes no videos. */
  public FixedPromptFormat(ImagePlaceholder image, ChatTemplateName defaultTemplate) {
    this(image, null, defaultTemplate);
  }

  /** The same for a family that reads pages. */
  public FixedPromptFormat withOcr(OcrPrompt... prompts) {
    return new FixedPromptFormat(image, video, defaultTemplate, List.of(prompts));
  }

  @Override
  public String imageMarker() {
    return image.marker();
  }

  @Override
  public @Nullable String videoMarker() {
    return video == null ? null : video.marker();
  }

  @Override
  public ImagePlaceholder place(RgbImage image, int nImages, ImageOptions options) {
    return this.image;
  }

  @Override
  public ImagePlaceholder place(Video video, int nVideos) {
    return this.video == null ? ImagePromptFormat.super.place(video, nVideos) : this.video;
  }
}
