package dev.ocellus.tests.vlm;

import dev.ocellus.convert.ConvertOptions;
import dev.ocellus.convert.ConvertOptions.Encoders;
import dev.ocellus.convert.ConvertProgress;
import dev.ocellus.convert.Converter;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.codec.ImageDecoder;
import dev.ocellus.vlm.options.LoadOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;

/** Models and images of the golden data, the tiny LLaVA before all. */
final class Golden {
  static final Path TEXT = Path.of("golden/models/llava-1.5/gguf/text.gguf");
  static final Path MMPROJ = Path.of("golden/models/llava-1.5/gguf/mmproj.gguf");

  private Golden() {}

  /** One thread: tests run beside each other on few cores, and waiting threads would spin. */
  static ContextOptions context(int nCtx) {
    return ContextOptions.defaults().withContext(nCtx).withThreads(1, 1);
  }

  static LoadOptions options() {
    return LoadOptions.of(TEXT, MMPROJ).withContextOptions(context(512));
  }

  /**
   * The image encoder of a model of which the golden data have the checkpoint only, in F32.
   *
   * @param directory where it is put; it is converted once for each
   */
  static Path convertedMmproj(String model, Path directory) throws IOException {
    Path file = directory.resolve("mmproj-" + model + ".gguf");
    if (!Files.exists(file)) {
      Converter.convert(
          Path.of("golden/models", model, "hf"),
          ConvertOptions.defaults()
              .withParts(false, Encoders.YES)
              .withTypes(OutputType.F32, OutputType.F32)
              .withOutput(file, null),
          ConvertProgress.NONE);
    }
    return file;
  }

  static RgbImage image(String name) throws IOException {
    return ImageDecoder.decode(Path.of("golden/images").resolve(name));
  }

  /** An image of random pixels, the same for the same seed. */
  static RgbImage noise(int width, int height, long seed) {
    byte[] bytes = new byte[width * height * 3];
    new Random(seed).nextBytes(bytes);
    return RgbImage.of(width, height, bytes);
  }
}
