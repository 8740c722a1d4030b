package dev.ocellus.vlm.model;

import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.Video;
import dev.ocellus.vlm.model.tower.QwenPatches;
import dev.ocellus.vlm.vision.ImageInput;
import dev.ocellus.vlm.vision.ImageOptions;
import dev.ocellus.vlm.vision.ImagePlaceholder;
import dev.ocellus.vlm.vision.VisionArchitecture;

/** What the Qwen-VL generations share: how images are cut, and what stands around them. */
interface QwenArchitecture extends VisionArchitecture {
  /** How images and frames become patches, with the limits of the generation. */
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
  default ImagePlaceholder place(Video video) {
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
