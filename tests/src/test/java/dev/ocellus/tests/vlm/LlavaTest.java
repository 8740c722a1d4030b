package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.UnsupportedArchitectureException;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.safetensors.SafetensorsFile;
import dev.ocellus.tests.reference.Tolerances;
import dev.ocellus.vlm.encoder.VisionEncoder;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.vision.ImageInput;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class LlavaTest extends VisionEncoderContract {
  private static final Path EXACT =
      Path.of("golden/models/llava-1.5/cases/exact/expected.safetensors");

  @Override
  Path mmproj() {
    return Golden.MMPROJ;
  }

  @Override
  String requiredWeight() {
    return "v.blk.1.attn_q.weight";
  }

  @Override
  List<RgbImage> alikeImages() throws IOException {
    return List.of(Golden.image("exact_56x56.png"), Golden.image("odd_97x61.png"));
  }

  @Test
  void matchesTransformersLayerByLayer() throws IOException {
    try (VisionEncoder encoder = VisionEncoder.open(mmproj(), 1, false);
        SafetensorsFile expected = SafetensorsFile.open(EXACT)) {
      ImageInput input = encoder.prepare(Golden.image("exact_56x56.png"));
      assertThat(input.pixels()).isEqualTo(expected.floats("pixel_values"));
      assertThat(input.pixelShape()).containsExactly(1, 3, 56, 56);
      var stages = encoder.intermediates(input, List.of("vision.selected", "projector.out"));
      stages.forEach((name, values) -> assertClose(name, values, expected.floats(name)));
    }
  }

  private static void assertClose(String name, float[] actual, float[] expected) {
    assertThat(actual).as(name).hasSameSizeAs(expected);
    for (int i = 0; i < expected.length; i++) {
      assertThat(Math.abs(actual[i] - expected[i]))
          .as("%s[%d]", name, i)
          .isLessThan(Tolerances.EMBEDDINGS);
    }
  }

  @Test
  void fitsAsTheFileSays() throws IOException {
    RgbImage wide = Golden.image("odd_97x61.png");
    float[] cropped = prepare("crop", wide);
    float[] padded = prepare("pad", wide);
    float[] stretched = prepare("stretch", wide);
    assertThat(padded).isNotEqualTo(cropped).isNotEqualTo(stretched);
    assertThat(stretched).isNotEqualTo(cropped);
    // the padding of a wide image is above and below, in the mean colour: almost 0 when
    // normalized
    assertThat(Math.abs(padded[0])).isLessThan(0.02f);
    assertThat(Math.abs(padded[28 * 56])).isGreaterThan(0.02f);
  }

  private float[] prepare(String aspectRatio, RgbImage image) throws IOException {
    Path file = directory.resolve(aspectRatio + ".gguf");
    rewriteWith("clip.vision.image_aspect_ratio", aspectRatio, file);
    try (VisionEncoder encoder = VisionEncoder.open(file, 1, false)) {
      return encoder.prepare(image).pixels();
    }
  }

  private void rewriteWith(String key, String value, Path target) throws IOException {
    try (GgufFile source = GgufFile.open(mmproj())) {
      GgufWriter writer = new GgufWriter().putAll(source.metadata()).string(key, value);
      source.tensors().forEach(writer::tensor);
      writer.write(target);
    }
  }

  @Test
  void listsTheProjectorsThatItKnows() throws IOException {
    Path file = directory.resolve("unknown.gguf");
    rewriteWith("clip.projector_type", "telepathy", file);
    assertThatThrownBy(() -> VisionEncoder.open(file, 1, false))
        .isInstanceOf(UnsupportedArchitectureException.class)
        .hasMessageContaining("telepathy")
        .hasMessageContaining("mlp");
  }

  @Test
  void usesWeightsWhereTheFileIsMapped() throws IOException {
    try (VisionEncoder encoder = VisionEncoder.open(mmproj(), 1, false);
        GgufFile file = GgufFile.open(mmproj())) {
      long all = file.tensors().stream().mapToLong(t -> t.byteSize()).sum();
      // only the patch kernel is copied, as a matrix
      assertThat(encoder.mappedBytes()).isGreaterThan(all * 8 / 10);
    }
  }
}
