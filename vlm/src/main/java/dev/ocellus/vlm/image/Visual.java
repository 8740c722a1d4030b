package dev.ocellus.vlm.image;

/** What a message can show. */
public sealed interface Visual permits RgbImage, Video {
  /** Equal for equal pixels and, of videos, equal times; in lower-case hex. */
  String contentHash();
}
