package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.UnsupportedArchitectureException;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.vlm.encoder.VisionEncoder;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.vision.ImageInput;
import dev.ocellus.vlm.vision.ImageOptions;
import dev.ocellus.vlm.vision.ImagePiece;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** That the values are the reference's is FidelityTest's to show. */
class MiniCpmVTest extends VisionEncoderContract {
  @Override
  Path mmproj() {
    return Path.of("golden/models/minicpm-v/gguf/mmproj.gguf");
  }

  @Override
  String requiredWeight() {
    return "resampler.attn.k.weight";
  }

  /** Of a whole and slices in two shapes. */
  @Override
  List<RgbImage> alikeImages() {
    return List.of(Golden.noise(97, 61, 1), Golden.noise(97, 61, 2));
  }

  private Path changed(Consumer<GgufWriter> change) throws IOException {
    Path file = directory.resolve("changed.gguf");
    try (GgufFile source = GgufFile.open(mmproj())) {
      GgufWriter writer = new GgufWriter().putAll(source.metadata());
      source.tensors().forEach(writer::tensor);
      change.accept(writer);
      writer.write(file);
    }
    return file;
  }

  private static String text(ImageInput input) {
    return input.layout().stream()
        .map(piece ->
            switch (piece) {
              case ImagePiece.Text(String text) -> text;
              case ImagePiece.Embeddings rows -> Integer.toString(rows.count());
            })
        .collect(Collectors.joining());
  }

  private static String textBeforeSecondImage(VisionEncoder encoder) {
    return encoder.architecture().place(Golden.noise(28, 28, 1), 1, ImageOptions.DEFAULT).before();
  }

  @Test
  void numbersImagesAndBreaksLinesBetweenSlices() throws IOException {
    try (VisionEncoder encoder = VisionEncoder.open(mmproj(), 1, false)) {
      assertThat(textBeforeSecondImage(encoder)).isEqualTo("<image_id>1</image_id>");
      ImageInput four = encoder.prepare(Golden.noise(56, 56, 1)); // 4 squares of 28 pixels
      assertThat(text(four))
          .isEqualTo(
              "<image>6</image><slice>6</slice><slice>6</slice>\n<slice>6</slice><slice>6</slice>");
      assertThat(text(encoder.prepare(Golden.noise(28, 28, 1)))).isEqualTo("<image>6</image>");
    }
  }

  @Test
  void writesTheTextOfVersion2_5AroundSlices() throws IOException {
    Path file = changed(w -> w.i32("clip.minicpmv_version", 2));
    try (VisionEncoder encoder = VisionEncoder.open(file, 1, false)) {
      assertThat(textBeforeSecondImage(encoder)).isEmpty();
      assertThat(text(encoder.prepare(Golden.noise(56, 56, 1))))
          .isEqualTo(
              "<image>6</image><slice><image>6</image><image>6</image>\n<image>6</image><image>6</image></slice>");
    }
  }

  @Test
  void takesImagesOfAnyShape() throws IOException {
    try (VisionEncoder encoder = VisionEncoder.open(mmproj(), 1, false)) {
      for (int[] size : new int[][] {{1, 1}, {1, 700}, {700, 1}, {20_000, 1}, {3, 5000}}) {
        ImageInput input = encoder.prepare(Golden.noise(size[0], size[1], 1));
        assertThat(input.nTiles()).isBetween(1, 10);
        assertThat(encoder.encode(input).nTokens()).isEqualTo(6 * input.nTiles());
      }
    }
  }

  @Test
  void refusesVersionsThatItDoesNotKnow() throws IOException {
    for (int version : new int[] {1, 7, 100045}) {
      Path file = changed(w -> w.i32("clip.minicpmv_version", version));
      assertThatThrownBy(() -> VisionEncoder.open(file, 1, false))
          .isInstanceOf(UnsupportedArchitectureException.class)
          .hasMessageContaining("clip.minicpmv_version: " + version);
    }
  }
}
