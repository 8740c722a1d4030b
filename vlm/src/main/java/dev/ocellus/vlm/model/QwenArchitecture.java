package dev.ocellus.vlm.model;

import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.Video;

/** What the Qwen-VL generations share: how pictures are cut, and what stands around them. */
interface QwenArchitecture extends VisionArchitecture {
  /** How pictures and frames become patches, with the limits of the generation. */
  QwenPatches patches();

  @Override
  default String imageMarker() {
    return QwenPatches.IMAGE_MARKER;
  }

  @Override
  default String writtenImage() {
    return QwenPatches.WRITTEN_IMAGE;
  }

  @Override
  default String videoMarker() {
    return QwenPatches.VIDEO_MARKER;
  }

  @Override
  default VisualPlace place(Video video) {
    return QwenPatches.VIDEO_PLACE;
  }

  @Override
  default String defaultChatTemplate() {
    return QwenPatches.CHAT_TEMPLATE;
  }

  @Override
  default ImageInput prepare(RgbImage image, ImageOptions options) {
    return patches().prepare(image, options);
  }

  @Override
  default ImageInput prepare(RgbImage image) {
    return prepare(image, ImageOptions.DEFAULT);
  }
}
