package dev.ocellus.tests.fuzz;

import dev.ocellus.gguf.GgufFile;
import dev.ocellus.vlm.encoder.VisionEncoder;
import dev.ocellus.vlm.image.Rgb;
import dev.ocellus.vlm.image.RgbImage;
import java.io.IOException;
import java.nio.file.Path;

/** Loads an image encoder and encodes an image. */
final class ProjectorTarget implements Target {
  @Override
  public String name() {
    return "mmproj";
  }

  @Override
  public boolean isGguf() {
    return true;
  }

  @Override
  public boolean takes(Path file) {
    if (!file.toString().endsWith(".gguf")) {
      return false;
    }
    try (GgufFile gguf = GgufFile.open(file)) {
      return gguf.metadata().string("general.architecture").equals("clip");
    } catch (IOException e) {
      return false;
    }
  }

  @Override
  public void run(byte[] data, Path file, long seed) throws IOException {
    try (VisionEncoder encoder = VisionEncoder.open(file, 1, false)) {
      encoder.encode(encoder.prepare(RgbImage.filled(40, 30, new Rgb(200, 30, 10))));
    }
  }
}
