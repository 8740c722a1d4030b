package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.UnsupportedArchitectureException;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.vlm.encoder.VisionEncoder;
import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.vision.ImageInput;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** That the values are the reference's is FidelityTest's to show. */
class LlavaOneVisionTest extends VisionEncoderContract {
  @Override
  Path mmproj() {
    return Path.of("golden/models/llava-onevision/gguf/mmproj.gguf");
  }

  @Override
  String requiredWeight() {
    return "v.blk.1.attn_q.weight";
  }

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

  @Test
  void makesOnlyGridsSmallerThatHaveMoreRowsThanAllowed() throws IOException {
    Path all = changed(w -> w.string("clip.vision.image_aspect_ratio", "anyres_max_16"));
    try (VisionEncoder three = VisionEncoder.open(mmproj(), 1, false);
        VisionEncoder sixteen = VisionEncoder.open(all, 1, false)) {
      RgbImage large = Golden.noise(112, 112, 1); // 16 tiles of 16 patches
      assertThat(sixteen.prepare(large).nTokens()).isEqualTo(16 + 16 * (16 + 1));
      assertThat(three.prepare(large).nTokens()).isEqualTo(16 + 6 * (6 + 1)); // 16 / 2.31
      RgbImage small = Golden.noise(56, 28, 1);
      assertThat(three.prepare(small).nTokens()).isEqualTo(16 + 4 * (8 + 1));
      float[] rows = three.encode(three.prepare(small)).values();
      assertThat(sixteen.encode(sixteen.prepare(small)).values()).isEqualTo(rows);
    }
  }

  @Test
  void putsTheSameRowBehindEveryLine() throws IOException {
    try (VisionEncoder encoder = VisionEncoder.open(mmproj(), 1, false)) {
      ImageInput input = encoder.prepare(Golden.noise(56, 28, 1));
      var embeddings = encoder.encode(input);
      int width = embeddings.width();
      float[] last = row(embeddings.values(), 16 + 4 * 9 - 1, width);
      for (int line = 0; line < 4; line++) {
        assertThat(row(embeddings.values(), 16 + line * 9 + 8, width)).isEqualTo(last);
        assertThat(row(embeddings.values(), 16 + line * 9 + 7, width)).isNotEqualTo(last);
      }
    }
  }

  private static float[] row(float[] rows, int i, int width) {
    return Arrays.copyOfRange(rows, i * width, (i + 1) * width);
  }

  @Test
  void refusesAPictureOfWhichNoLineIsLeft() throws IOException {
    Path file =
        changed(w ->
            w.string("clip.vision.image_aspect_ratio", "anyres_max_1")
                .ints("clip.vision.image_grid_pinpoints", 28, 28 * 40));
    try (VisionEncoder encoder = VisionEncoder.open(file, 1, false)) {
      RgbImage thin = Golden.noise(1600, 10, 1);
      assertThatThrownBy(() -> encoder.prepare(thin))
          .isInstanceOf(ImageFormatException.class)
          .hasMessageContaining("1600x10")
          .hasMessageContaining("too thin");
    }
  }

  @Test
  void namesWhatItDoesNotKnow() throws IOException {
    assertRefused(w -> w.string("clip.vision.image_aspect_ratio", "anyres_max_many"), "many");
    assertRefused(w -> w.string("clip.vision.mm_patch_merge_type", "flat"), "spatial_unpad");
    assertRefused(w -> w.ints("clip.vision.feature_layer", 1, 2), "feature_layer");
  }

  private void assertRefused(Consumer<GgufWriter> change, String word) throws IOException {
    Path file = changed(change);
    assertThatThrownBy(() -> VisionEncoder.open(file, 1, false))
        .isInstanceOf(UnsupportedArchitectureException.class)
        .hasMessageContaining(word);
  }
}
