package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.convert.ConvertOptions;
import dev.ocellus.convert.ConvertProgress;
import dev.ocellus.convert.Converter;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.vlm.embedding.DualEncoder;
import dev.ocellus.vlm.embedding.EmbeddingOptions;
import dev.ocellus.vlm.image.RgbImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Vectors are the same bit for bit however a batch is divided among threads.
 *
 * <p>That holds for what an accelerator is given in earnest. With {@code ocellus.accel.everything}
 * it also gets products so small that their number decides which of its kernels computes them, so
 * this is no part of the tests that run with it ({@link BatchInvarianceTest} has the large ones).
 */
class DividedVectorsTest {
  @TempDir static Path directory;

  /** Of all counts some are odd, and some fewer than there are threads. */
  @ParameterizedTest
  @ValueSource(strings = {"clip-openclip", "siglip", "siglip2", "clip-rn50"})
  void givesTheSameVectorsHoweverABatchIsDivided(String model) throws IOException {
    Path file = directory.resolve(model + ".gguf");
    Converter.convert(
        Path.of("golden/models", model, "hf"),
        ConvertOptions.defaults().withOutput(file, null).withTypes(OutputType.F32, OutputType.F32),
        ConvertProgress.NONE);
    List<RgbImage> images = new ArrayList<>();
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < 7; i++) {
      images.add(Golden.noise(70 + i, 64, i));
      texts.add("dog number %d".formatted(i));
    }
    List<float[]> ofImages = new ArrayList<>();
    List<float[]> ofTexts = new ArrayList<>();
    try (DualEncoder alone = DualEncoder.open(file, EmbeddingOptions.cpu(1))) {
      images.forEach(image -> ofImages.add(alone.embedImage(image)));
      texts.forEach(text -> ofTexts.add(alone.embedText(text)));
    }
    for (int nThreads : new int[] {2, 3, 5}) {
      try (DualEncoder encoder = DualEncoder.open(file, EmbeddingOptions.cpu(nThreads))) {
        for (int n : new int[] {7, 1, 2, 4, 5, 6, 7}) {
          assertThat(encoder.embedImages(images.subList(0, n)).toArray(float[][]::new))
              .as("%d images, %d threads", n, nThreads)
              .isDeepEqualTo(ofImages.subList(0, n).toArray(float[][]::new));
          assertThat(encoder.embedTexts(texts.subList(0, n)).toArray(float[][]::new))
              .as("%d texts, %d threads", n, nThreads)
              .isDeepEqualTo(ofTexts.subList(0, n).toArray(float[][]::new));
        }
      }
    }
  }
}
