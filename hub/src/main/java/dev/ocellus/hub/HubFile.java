package dev.ocellus.hub;

/**
 * A file of a repository.
 *
 * @param path in the repository
 * @param size in bytes
 * @param hash SHA-256, or git's SHA-1 for small files; also the name in the cache
 */
record HubFile(String path, long size, String hash) {
  /** Without its folders. */
  String name() {
    return path.substring(path.lastIndexOf('/') + 1);
  }

  /** Its folders with a slash behind, or nothing. */
  String folder() {
    return path.substring(0, path.lastIndexOf('/') + 1);
  }
}
