package dev.ocellus.springai;

import java.io.IOException;
import java.net.URI;

/**
 * Fetches media that a message only has the address of. Bytes, resources, {@code data:} URLs and
 * {@code file:} URLs need none.
 *
 * <p>None is set by default: whoever writes a message could otherwise make this machine ask any
 * server, including those that only it can reach.
 */
@FunctionalInterface
public interface MediaLoader {
  /** Refuses. */
  MediaLoader NONE =
      address -> {
        throw new IllegalArgumentException(
            "Media at '%s:' addresses are not fetched without a MediaLoader; give the media as a Resource or as bytes, or provide a bean of this type"
                .formatted(address.getScheme()));
      };

  /** The bytes of a file. */
  byte[] load(URI address) throws IOException;
}
