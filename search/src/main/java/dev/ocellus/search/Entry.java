package dev.ocellus.search;

import org.jspecify.annotations.Nullable;

/**
 * What the index knows of a file.
 *
 * @param path below the folder, with slashes
 * @param bytes size
 * @param modified time of modification in nanoseconds since 1970
 * @param sha256 of the content; empty where it was never read
 * @param width of the image as it is seen; 0 if there is none
 * @param height of the image as it is seen; 0 if there is none
 * @param error why it is no image that can be found; null if it is one
 */
record Entry(
    String path,
    long bytes,
    long modified,
    String sha256,
    int width,
    int height,
    @Nullable String error) {

  boolean isUnchanged(FolderScan.File file) {
    return bytes == file.bytes() && modified == file.modified();
  }
}
