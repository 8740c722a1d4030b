package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.UnsupportedArchitectureException;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.gguf.TensorType;
import dev.ocellus.io.Memory;
import dev.ocellus.vlm.encoder.VisionEncoder;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.vision.ImageInput;
import dev.ocellus.vlm.vision.ImageOptions;
import dev.ocellus.vlm.vision.ImagePiece;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** That the values are the reference's is ConversionTest's to show, of the same checkpoint. */
class QwenVlTest extends VisionEncoderContract {
  @Override
  Path mmproj() throws IOException {
    return Golden.convertedMmproj("qwen-vl", directory);
  }

  @Override
  String requiredWeight() {
    return "resampler.attn.k.weight";
  }

  @Override
  List<RgbImage> alikeImages() {
    return List.of(Golden.noise(97, 61, 1), Golden.noise(1, 300, 2));
  }

  @Test
  void putsAFixedNumberOfEmbeddingsBetweenItsMarks() throws IOException {
    try (VisionEncoder encoder = VisionEncoder.open(mmproj(), 1, false)) {
      ImageInput input = encoder.prepare(Golden.noise(20_000, 1, 1));
      assertThat(input.layout())
          .containsExactly(
              new ImagePiece.Text("<img>"),
              ImagePiece.Embeddings.of(9),
              new ImagePiece.Text("</img>"));
      assertThat(
              encoder
                  .architecture()
                  .place(Golden.noise(9, 9, 1), 1, ImageOptions.DEFAULT)
                  .written())
          .isEqualTo("Picture 2: <img></img>\n");
    }
  }

  @Test
  void refusesAProjectionThatHeadsDoNotFill() throws IOException {
    Path file = directory.resolve("changed.gguf");
    try (GgufFile source = GgufFile.open(mmproj())) {
      GgufWriter writer = new GgufWriter().putAll(source.metadata());
      source.tensors().stream()
          .filter(t -> !t.name().equals("resampler.proj.weight"))
          .forEach(writer::tensor);
      writer.tensor(
          "resampler.proj.weight", TensorType.F32, Memory.of(new float[128 * 100]), 128, 100);
      writer.write(file);
    }
    assertThatThrownBy(() -> VisionEncoder.open(file, 1, false))
        .isInstanceOf(UnsupportedArchitectureException.class)
        .hasMessageContainingAll("resampler.proj.weight", "100", "multiple of 128");
  }
}
