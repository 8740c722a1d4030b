package dev.ocellus.hub;

import java.net.URI;
import java.util.Optional;

/**
 * A file on a server.
 *
 * @param name to show
 * @param address where it is fetched
 * @param token for that server
 * @param size in bytes
 * @param hash what its bytes must give, if the server says
 */
record RemoteFile(
    String name, URI address, Optional<String> token, long size, Optional<FileHash> hash) {
  RemoteFile {
    if (size < 0) {
      throw new IllegalArgumentException("size of " + name + ": " + size);
    }
  }
}
