package dev.ocellus.vlm.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.UnsupportedArchitectureException;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.function.UnaryOperator;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelKindTest {
  @TempDir Path directory;

  private GgufFile file(UnaryOperator<GgufWriter> metadata) throws IOException {
    Path path = directory.resolve("some.gguf");
    metadata.apply(new GgufWriter()).write(path);
    return GgufFile.open(path);
  }

  private ModelKind kind(UnaryOperator<GgufWriter> metadata) throws IOException {
    try (GgufFile file = file(metadata)) {
      return ModelKind.of(file.metadata());
    }
  }

  private static GgufWriter clip(GgufWriter w) {
    return w.string("general.architecture", "clip");
  }

  @Test
  void tellsTextModelsByTheirArchitecture() throws IOException {
    assertThat(kind(w -> w.string("general.architecture", "llama"))).isEqualTo(ModelKind.TEXT);
    assertThat(kind(w -> w.string("general.architecture", "flux")))
        .isEqualTo(ModelKind.IMAGE_GENERATOR);
    assertThat(kind(w -> w.string("general.name", "x"))).isEqualTo(ModelKind.UNKNOWN);
  }

  @Test
  void tellsAdaptersByTheirType() throws IOException {
    assertThat(
            kind(w -> w.string("general.architecture", "llama").string("general.type", "adapter")))
        .isEqualTo(ModelKind.ADAPTER);
    assertThat(kind(w -> w.string("general.type", "imatrix")))
        .isEqualTo(ModelKind.IMPORTANCE_MATRIX);
  }

  @Test
  void tellsEncodersApartByWhatTheyHave() throws IOException {
    // the first LLaVA files name no projector
    assertThat(kind(w -> clip(w))).isEqualTo(ModelKind.IMAGE_ENCODER);
    assertThat(
            kind(w ->
                clip(w)
                    .bool("clip.has_text_encoder", false)
                    .bool("clip.has_vision_encoder", true)
                    .bool("clip.has_llava_projector", true)))
        .isEqualTo(ModelKind.IMAGE_ENCODER);
    assertThat(
            kind(w ->
                clip(w).bool("clip.has_text_encoder", true).bool("clip.has_vision_encoder", true)))
        .isEqualTo(ModelKind.DUAL_ENCODER);
    assertThat(
            kind(w ->
                clip(w)
                    .bool("clip.has_audio_encoder", true)
                    .bool("clip.has_vision_encoder", false)))
        .isEqualTo(ModelKind.AUDIO_ENCODER);
  }

  /** Omni models have both in one file. */
  @Test
  void takesAnEncoderOfSeveralMediaByTheOneOfImages() throws IOException {
    assertThat(
            kind(w ->
                clip(w)
                    .bool("clip.has_audio_encoder", true)
                    .bool("clip.has_vision_encoder", true)
                    .string("clip.vision.projector_type", "qwen2.5vl_merger")))
        .isEqualTo(ModelKind.IMAGE_ENCODER);
  }

  @Test
  void saysWhatAFileIsAndWhereItBelongs() throws IOException {
    try (GgufFile file = file(w -> w.string("general.architecture", "llama"))) {
      assertThatThrownBy(() -> ModelRegistry.require(file, ModelKind.IMAGE_ENCODER))
          .isInstanceOf(UnsupportedArchitectureException.class)
          .hasMessage(
              file.path()
                  + " is a text model of architecture 'llama', not an image encoder (mmproj). Open it as the text model.")
          .asInstanceOf(InstanceOfAssertFactories.type(WrongModelKindException.class))
          .returns(ModelKind.TEXT, WrongModelKindException::found)
          .returns(ModelKind.IMAGE_ENCODER, WrongModelKindException::expected);
    }
  }

  @Test
  void refusesADualEncoderInAChat() throws IOException {
    try (GgufFile file = file(w -> clip(w).bool("clip.has_text_encoder", true))) {
      assertThatThrownBy(() -> ModelRegistry.require(file, ModelKind.TEXT))
          .hasMessage(
              file.path()
                  + " is a dual encoder of images and texts, not a text model. It gives vectors and cannot answer; a chat needs a text model and its mmproj.");
    }
  }
}
