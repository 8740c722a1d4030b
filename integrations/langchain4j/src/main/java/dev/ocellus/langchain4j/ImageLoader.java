package dev.ocellus.langchain4j;

import dev.langchain4j.exception.UnsupportedFeatureException;
import java.io.IOException;
import java.net.URI;

/**
 * Fetches images that a message only has the address of. Data URLs and files need none.
 *
 * <p>None is set by default: whoever writes a message could otherwise make this machine ask any
 * server, including those that only it can reach.
 */
@FunctionalInterface
public interface ImageLoader {
  /** Refuses. */
  ImageLoader NONE =
      address -> {
        throw new UnsupportedFeatureException(
            "Images at '%s:' addresses are not supported without an imageLoader; give the image as base64, or set one"
                .formatted(address.getScheme()));
      };

  /** The bytes of an image file. */
  byte[] load(URI address) throws IOException;
}
