package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.within;

import dev.ocellus.compute.Accelerator;
import dev.ocellus.compute.MatrixPrecision;
import dev.ocellus.compute.OutOfDeviceMemoryException;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.vlm.generation.ComputeOptions;
import dev.ocellus.vlm.generation.ImageCodes;
import dev.ocellus.vlm.generation.VqModel;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.RgbImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How many maps of an image a VQGAN holds, and that it makes no difference to what comes of it. */
class VqMemoryTest {
  private static final int CHANNELS = 96;
  private static final int LEVELS = 3;
  private static final ImageSize SIZE = new ImageSize(144, 112);

  /** Of all channels at full size. */
  private static final long MAP = 4L * CHANNELS * 144 * 112;

  @TempDir Path directory;

  private final SplittableRandom random = new SplittableRandom(5);
  private final GgufWriter writer = new GgufWriter();
  private Path file = Path.of("");

  @BeforeEach
  void writeModel() throws IOException {
    writer.string("general.architecture", "vq").string("vq.model_type", "taming");
    writer.u32("vq.codebook_size", 64).u32("vq.embedding_length", 4).u32("vq.image_size", 128);
    half("enc", 3, "down", 4);
    conv("quant_conv", 1, 4, 4);
    tensor("codebook.weight", 1, 4, 64);
    conv("post_quant_conv", 1, 4, 4);
    half("dec", 4, "up", 3);
    file = directory.resolve("vq.gguf");
    writer.write(file);
  }

  private void half(String name, int nIn, String levels, int nOut) {
    conv(name + ".conv_in", 3, nIn, CHANNELS);
    for (int i = 0; i < LEVELS; i++) {
      block(name + "." + levels + "." + i + ".block.0");
      if (i + 1 < LEVELS) {
        conv(name + "." + levels + "." + i + ".sample", 3, CHANNELS, CHANNELS);
      }
    }
    block(name + ".mid.block.0");
    norm(name + ".mid.attn.0.norm");
    for (String part : new String[] {"q", "k", "v", "out"}) {
      tensor(name + ".mid.attn.0." + part + ".weight", 0.1, CHANNELS, CHANNELS);
      tensor(name + ".mid.attn.0." + part + ".bias", 0.1, CHANNELS);
    }
    block(name + ".mid.block.1");
    norm(name + ".norm_out");
    conv(name + ".conv_out", 3, CHANNELS, nOut);
  }

  private void block(String name) {
    for (int i = 1; i <= 2; i++) {
      norm(name + ".norm" + i);
      conv(name + ".conv" + i, 3, CHANNELS, CHANNELS);
    }
  }

  private void norm(String name) {
    tensor(name + ".weight", 1, CHANNELS);
    tensor(name + ".bias", 0.3, CHANNELS);
  }

  private void conv(String name, int size, int nIn, int nOut) {
    tensor(name + ".weight", Math.sqrt(3.0 / (size * size * nIn)), size, size, nIn, nOut);
    tensor(name + ".bias", 0.1, nOut);
  }

  private void tensor(String name, double scale, long... shape) {
    int n = 1;
    for (long side : shape) {
      n *= (int) side;
    }
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = (float) (random.nextDouble(-1, 1) * scale);
    }
    writer.tensor(name, values, shape);
  }

  private VqModel open(Accelerator accelerator, long maxBytes) throws IOException {
    var options = new ComputeOptions(2, false, MatrixPrecision.EXACT, accelerator);
    return VqModel.open(file, options.withMaxBytes(maxBytes));
  }

  private static RgbImage image() {
    byte[] rgb = new byte[3 * 144 * 112];
    new SplittableRandom(8).nextBytes(rgb);
    return RgbImage.wrap(144, 112, rgb);
  }

  /** What is needed at least, in MiB, as the refusal says. */
  private long needed(Accelerator accelerator) throws IOException {
    try (VqModel vq = open(accelerator, 1)) {
      var refused =
          catchThrowableOfType(OutOfDeviceMemoryException.class, () -> vq.requireRoom(SIZE));
      Matcher m =
          Pattern.compile("needs (\\d+) MiB for intermediates").matcher(refused.getMessage());
      assertThat(m.find()).as(refused.getMessage()).isTrue();
      return Long.parseLong(m.group(1));
    }
  }

  @Test
  void oneMapOrTwoGiveTheSame() throws IOException {
    long least = (needed(Accelerator.OPENBLAS) + 3) << 20; // encoding and decoding differ a little
    assertThat(least).isLessThan(2 * MAP);
    try (VqModel plain = open(Accelerator.OFF, 0);
        VqModel fast = open(Accelerator.OPENBLAS, 0);
        VqModel frugal = open(Accelerator.OPENBLAS, least)) {
      frugal.requireRoom(SIZE);
      assertClose(fast.latents(image()), plain.latents(image()));
      assertClose(frugal.latents(image()), plain.latents(image()));
      ImageCodes codes = plain.encode(image());
      float[] pixels = plain.decode(codes).values();
      assertClose(fast.decode(codes).values(), pixels);
      assertClose(frugal.decode(codes).values(), pixels);
      assertClose(frugal.decode(codes).values(), pixels); // by the graph that is kept
    }
  }

  @Test
  void withoutAnAcceleratorThereAreThreeMaps() throws IOException {
    assertThat(needed(Accelerator.OFF) << 20).isGreaterThan(2 * MAP);
  }

  private static void assertClose(float[] actual, float[] expected) {
    assertThat(actual).hasSameSizeAs(expected);
    for (int i = 0; i < actual.length; i++) {
      assertThat(actual[i]).as("value %d", i).isCloseTo(expected[i], within(1e-4f));
    }
  }
}
