package dev.ocellus.search;

import java.util.List;

/**
 * What an update found and did.
 *
 * @param nEncoded images that are new or changed and were encoded
 * @param nReused new or changed files whose content was known already, such as moved ones
 * @param nUnchanged files that were as the index knew them
 * @param nRemoved files that are gone, and with them their entries
 * @param nImages images in the index now
 * @param unreadable files that could not be read, in the order of the folder, those known from
 *     earlier included
 */
public record UpdateReport(
    int nEncoded,
    int nReused,
    int nUnchanged,
    int nRemoved,
    int nImages,
    List<Unreadable> unreadable) {
  public UpdateReport {
    unreadable = List.copyOf(unreadable);
  }

  /**
   * A file or folder that could not be read.
   *
   * @param path below the folder, with slashes
   * @param message why
   */
  public record Unreadable(String path, String message) {}
}
