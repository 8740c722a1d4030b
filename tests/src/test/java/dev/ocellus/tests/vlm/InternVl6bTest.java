package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.ggml.MissingWeightException;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufTensor;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.vlm.encoder.VisionEncoder;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.vision.ImagePiece;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** InternViT-6B; that the values are the reference's is FidelityTest's to show. */
class InternVl6bTest extends VisionEncoderContract {
  @Override
  Path mmproj() {
    return Path.of("golden/models/internvl-6b/gguf/mmproj.gguf");
  }

  @Override
  String requiredWeight() {
    return "v.blk.1.attn_q.weight";
  }

  @Override
  List<RgbImage> alikeImages() {
    return List.of(Golden.noise(90, 31, 1), Golden.noise(90, 31, 2));
  }

  /** The first layer tells which tower it is; the others must be of the same kind. */
  @Test
  void namesAMissingNormOfTheQueries() throws IOException {
    Path file = directory.resolve("norm.gguf");
    try (GgufFile source = GgufFile.open(mmproj())) {
      GgufWriter writer = new GgufWriter().putAll(source.metadata());
      for (GgufTensor t : source.tensors()) {
        if (!t.name().equals("v.blk.2.attn_q_norm.weight")) {
          writer.tensor(t);
        }
      }
      writer.write(file);
    }
    assertThatThrownBy(() -> VisionEncoder.open(file, 1, false))
        .isInstanceOf(MissingWeightException.class)
        .hasMessageContaining("v.blk.2.attn_q_norm.weight");
  }

  @Test
  void takesTheThinnestImagesInAsManyTilesAsAllowed() throws IOException {
    try (VisionEncoder encoder = VisionEncoder.open(mmproj(), 1, false)) {
      var input = encoder.prepare(Golden.noise(1000, 1, 1));
      assertThat(input.gridX()).isEqualTo(12);
      assertThat(input.gridY()).isEqualTo(1);
      assertThat(input.layout())
          .containsExactly(
              new ImagePiece.Text("<img>"),
              ImagePiece.Embeddings.of(13 * 4), // with the thumbnail
              new ImagePiece.Text("</img>"));
    }
  }
}
