package dev.ocellus.tests.fuzz;

import dev.ocellus.vlm.image.codec.ImageDecoder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Set;

/** Decodes an image. */
final class ImageTarget implements Target {
  private static final Set<String> SUFFIXES =
      Set.of("png", "jpg", "jpeg", "webp", "gif", "bmp", "tif", "tiff");

  @Override
  public String name() {
    return "image";
  }

  @Override
  public boolean isGguf() {
    return false;
  }

  @Override
  public boolean takes(Path file) {
    String name = file.toString().toLowerCase(Locale.ROOT);
    return SUFFIXES.contains(name.substring(name.lastIndexOf('.') + 1));
  }

  @Override
  public void run(byte[] data, Path file, long seed) throws IOException {
    ImageDecoder.decode(file);
  }
}
