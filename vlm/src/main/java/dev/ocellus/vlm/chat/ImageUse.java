package dev.ocellus.vlm.chat;

/**
 * Where the different images of a conversation came from.
 *
 * @param encoded computed now
 * @param fromContext stood in the context
 * @param fromMemory found in the image cache, in memory
 * @param fromDisk found in the image cache, on disk
 */
public record ImageUse(int encoded, int fromContext, int fromMemory, int fromDisk) {
  /** No images. */
  public static final ImageUse NONE = new ImageUse(0, 0, 0, 0);
}
