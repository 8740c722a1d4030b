package dev.ocellus.eval;

import dev.ocellus.vlm.image.RgbImage;
import java.io.IOException;

/**
 * An image to compare on, which is read when its turn comes, so that one at a time is in memory.
 *
 * @param name how reports call it
 * @param reader reads it; called once
 */
public record NamedImage(String name, Reader reader) {
  /** Reads an image. */
  @FunctionalInterface
  public interface Reader {
    /**
     * @throws IOException if it cannot be read
     */
    RgbImage read() throws IOException;
  }
}
