package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.convert.ConvertOptions;
import dev.ocellus.convert.ConvertOptions.Encoders;
import dev.ocellus.convert.ConvertProgress;
import dev.ocellus.convert.Converter;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.vlm.generation.ComputeOptions;
import dev.ocellus.vlm.generation.Critic;
import dev.ocellus.vlm.generation.DrawOptions;
import dev.ocellus.vlm.generation.ImageCodes;
import dev.ocellus.vlm.generation.NoiseGenerator;
import dev.ocellus.vlm.generation.NotFiniteException;
import dev.ocellus.vlm.generation.PixelModel;
import dev.ocellus.vlm.generation.VqModel;
import dev.ocellus.vlm.image.Rgb;
import dev.ocellus.vlm.image.RgbImage;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Weights that are no numbers are told of, wherever they are. */
class DamagedWeightsTest {
  private static final Path GOLDEN = Path.of("golden/generation");
  private static final ComputeOptions CPU = ComputeOptions.cpu(1);
  private static final CancellationFlag NEVER = new CancellationFlag();

  @TempDir Path directory;

  private static void isTold(ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOf(NotFiniteException.class)
        .hasMessageContaining("eights hold numbers that are not finite");
  }

  /** A GGUF file in which a number of a tensor is none: converting would not let it through. */
  private Path damaged(String model, String tensor) throws IOException {
    Path file = directory.resolve(model + "-" + tensor + ".gguf");
    Converter.convert(
        GOLDEN.resolve(model).resolve("hf"),
        ConvertOptions.defaults()
            .withOutput(file, null)
            .withTypes(OutputType.F32, OutputType.F32)
            .withParts(false, Encoders.NO),
        ConvertProgress.NONE);
    byte[] bytes = Files.readAllBytes(file);
    int at;
    try (GgufFile gguf = GgufFile.open(file)) {
      MemorySegment data = gguf.findTensor(tensor).orElseThrow().data().segment();
      at = indexOf(bytes, data.asSlice(0, 16).toArray(ValueLayout.JAVA_BYTE));
    }
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putFloat(at, Float.NaN);
    Path damaged = directory.resolve("damaged-" + model + tensor + ".gguf");
    return Files.write(damaged, bytes);
  }

  private static int indexOf(byte[] all, byte[] part) {
    for (int i = 0; i + part.length <= all.length; i++) {
      if (Arrays.equals(all, i, i + part.length, part, 0, part.length)) {
        return i;
      }
    }
    throw new IllegalArgumentException("not there");
  }

  @Test
  void ofAnEncoderAndACodebook() throws IOException {
    RgbImage image = RgbImage.filled(16, 16, new Rgb(90, 60, 30));
    for (String tensor : List.of("enc.conv_in.weight", "codebook.weight")) {
      try (VqModel vq = VqModel.open(damaged("taming", tensor), CPU)) {
        isTold(() -> vq.encode(image));
      }
    }
  }

  @Test
  void ofADecoder() throws IOException {
    try (VqModel vq = VqModel.open(damaged("taming", "dec.conv_out.weight"), CPU)) {
      isTold(() -> vq.decode(new ImageCodes(2, 2, new int[] {0, 1, 2, 3})));
    }
  }

  @Test
  void ofAModelOfPixels() throws IOException {
    try (PixelModel gpt = PixelModel.open(damaged("imagegpt", "output_norm.weight"), CPU)) {
      isTold(() -> gpt.score(new int[gpt.imageSize().width() * gpt.imageSize().height()], NEVER));
      isTold(() -> gpt.draw(new int[0], DrawOptions.seeded(1), DrawOptions.Listener.NONE, NEVER));
    }
  }

  @Test
  void ofModelsWhoseActivationsHideIt() throws IOException {
    Path generator = damaged("gray-generator", "layer.0.weight");
    isTold(() -> NoiseGenerator.open(generator, CPU));
    Path critic = damaged("wgan-critic", "layer.1.weight");
    isTold(() -> Critic.open(critic, CPU));
    Path vqvae = damaged("vqvae", "dec.in.weight");
    isTold(() -> VqModel.open(vqvae, CPU));
  }
}
