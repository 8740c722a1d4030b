package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.vlm.encoder.VisionEncoder;
import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.image.Rgb;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.vision.ImageOptions;
import dev.ocellus.vlm.vision.ImagePiece;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** With a generated file; that the values are the reference's is FidelityTest's to show. */
class Qwen25VlTest extends VisionEncoderContract {
  private static final int N_EMBD = 16;
  private static final int N_FF = 24;
  private static final int WIDTH = 12;
  private static final int PATCH = 4;

  private final Random random = new Random(7);

  private void generate(Path file) throws IOException {
    // windows of 16 pixels are 2 x 2 tokens; layer 1 attends within them, layer 2 to everything
    GgufWriter writer =
        new GgufWriter()
            .string("general.architecture", "clip")
            .bool("clip.has_vision_encoder", true)
            .string("clip.projector_type", "qwen2.5vl_merger")
            .u32("clip.vision.patch_size", PATCH)
            .u32("clip.vision.embedding_length", N_EMBD)
            .u32("clip.vision.attention.head_count", 2)
            .u32("clip.vision.block_count", 2)
            .u32("clip.vision.n_wa_pattern", 2)
            .u32("clip.vision.window_size", 4 * PATCH);
    tensor(writer, "v.patch_embd.weight", PATCH, PATCH, 3, N_EMBD);
    tensor(writer, "v.patch_embd.weight.1", PATCH, PATCH, 3, N_EMBD);
    for (int i = 0; i < 2; i++) {
      String block = "v.blk." + i + ".";
      for (String name : List.of("attn_q", "attn_k", "attn_v", "attn_out")) {
        linear(writer, block + name, N_EMBD, N_EMBD);
      }
      linear(writer, block + "ffn_gate", N_EMBD, N_FF);
      linear(writer, block + "ffn_up", N_EMBD, N_FF);
      linear(writer, block + "ffn_down", N_FF, N_EMBD);
      tensor(writer, block + "ln1.weight", N_EMBD);
      tensor(writer, block + "ln2.weight", N_EMBD);
    }
    tensor(writer, "v.post_ln.weight", N_EMBD);
    linear(writer, "mm.0", 4 * N_EMBD, 4 * N_EMBD);
    linear(writer, "mm.2", 4 * N_EMBD, WIDTH);
    writer.write(file);
  }

  private void linear(GgufWriter writer, String name, long nIn, long nOut) {
    tensor(writer, name + ".weight", nIn, nOut);
    tensor(writer, name + ".bias", nOut);
  }

  private void tensor(GgufWriter writer, String name, long... shape) {
    int n = 1;
    for (long size : shape) {
      n *= (int) size;
    }
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = (float) random.nextGaussian() * 0.3f;
    }
    writer.tensor(name, values, shape);
  }

  @Override
  Path mmproj() throws IOException {
    Path file = directory.resolve("mmproj.gguf");
    if (Files.notExists(file)) {
      generate(file);
    }
    return file;
  }

  @Override
  String requiredWeight() {
    return "v.blk.1.attn_q.weight";
  }

  /** 7 by 5 tokens, so that windows at the right and at the bottom are smaller. */
  @Override
  List<RgbImage> alikeImages() {
    return List.of(noise(1), noise(2));
  }

  private static RgbImage noise(long seed) {
    byte[] bytes = new byte[56 * 40 * 3];
    new Random(seed).nextBytes(bytes);
    return RgbImage.of(56, 40, bytes);
  }

  @Test
  void seesBeyondAWindowOnlyInFullLayers() throws IOException {
    byte[] bytes = noise(1).toByteArray();
    for (int i = 0; i < 12; i++) {
      bytes[i] = (byte) (255 - bytes[i]); // in the first patch, so in the first window
    }
    try (VisionEncoder encoder = VisionEncoder.open(mmproj(), 1, false)) {
      List<String> names = List.of("layer_1", "layer_2");
      var before = encoder.intermediates(encoder.prepare(noise(1), limits(35)), names);
      var after =
          encoder.intermediates(encoder.prepare(RgbImage.of(56, 40, bytes), limits(35)), names);
      int window = 16 * N_EMBD; // 4 tokens of 4 patches
      assertThat(tail(layer(after, "layer_1"), window))
          .isEqualTo(tail(layer(before, "layer_1"), window));
      assertThat(layer(after, "layer_1")).isNotEqualTo(layer(before, "layer_1"));
      assertThat(tail(layer(after, "layer_2"), window))
          .isNotEqualTo(tail(layer(before, "layer_2"), window));
    }
  }

  private static float[] layer(Map<String, float[]> values, String name) {
    return Objects.requireNonNull(values.get(name));
  }

  private static ImageOptions limits(int max) {
    return ImageOptions.ofTokens(1, max);
  }

  private static float[] tail(float[] values, int from) {
    return Arrays.copyOfRange(values, from, values.length);
  }

  @Test
  void keepsTheAspectRatioWithinTheLimits() throws IOException {
    try (VisionEncoder encoder = VisionEncoder.open(mmproj(), 1, false)) {
      assertThat(encoder.prepare(noise(1), limits(35)).layout())
          .containsExactly(ImagePiece.Embeddings.grid(7, 5));
      assertThat(encoder.prepare(noise(1), limits(12)).layout())
          .containsExactly(ImagePiece.Embeddings.grid(4, 2));
      // halves are rounded to even numbers: 20 / 8 to 2, 28 / 8 to 4
      RgbImage halves = RgbImage.filled(20, 28, Rgb.BLACK);
      assertThat(encoder.prepare(halves, limits(35)).layout())
          .containsExactly(ImagePiece.Embeddings.grid(2, 4));
    }
  }

  @Test
  void repeatsTheFrameInTheArrayOfTheReference() throws IOException {
    try (VisionEncoder encoder = VisionEncoder.open(mmproj(), 1, false)) {
      var input = encoder.prepare(noise(1), limits(35));
      assertThat(input.pixelShape()).containsExactly(4 * 35, 2 * 3 * PATCH * PATCH);
      float[] pixels = input.pixels();
      for (int i = 0; i < PATCH * PATCH; i++) {
        assertThat(pixels[PATCH * PATCH + i]).isEqualTo(pixels[i]);
      }
    }
  }

  @Test
  void refusesAnImageThatIsTooThin() throws IOException {
    try (VisionEncoder encoder = VisionEncoder.open(mmproj(), 1, false)) {
      assertThatThrownBy(() -> encoder.prepare(RgbImage.filled(201, 1, Rgb.BLACK)))
          .isInstanceOf(ImageFormatException.class)
          .hasMessageContaining("201 x 1")
          .hasMessageContaining("200");
    }
  }
}
