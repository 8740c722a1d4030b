package dev.ocellus.springai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.testkit.DrawnImages;
import dev.ocellus.vlm.DemoModel;
import dev.ocellus.vlm.embedding.DualEncoder;
import dev.ocellus.vlm.embedding.Vectors;
import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.image.ImageLimits;
import dev.ocellus.vlm.image.codec.ImageDecoder;
import io.micrometer.observation.tck.TestObservationRegistry;
import io.micrometer.observation.tck.TestObservationRegistryAssert;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.springframework.ai.content.Media;
import org.springframework.ai.document.Document;
import org.springframework.ai.embedding.DocumentEmbeddingRequest;
import org.springframework.ai.embedding.EmbeddingOptions;
import org.springframework.ai.embedding.EmbeddingRequest;
import org.springframework.ai.embedding.EmbeddingResponse;
import org.springframework.ai.embedding.EmbeddingResultMetadata.ModalityType;
import org.springframework.ai.embedding.observation.DefaultEmbeddingModelObservationConvention;
import org.springframework.util.MimeType;
import org.springframework.util.MimeTypeUtils;

/** Vectors of texts and images in one space, with the embedded dual encoder. */
class EmbeddingsTest {
  private static DualEncoder encoder;

  @BeforeAll
  static void open() throws IOException {
    encoder = DualEncoder.open(DemoModel.dualEncoder());
  }

  @AfterAll
  static void close() {
    encoder.close();
  }

  private static Document image(byte[] file) {
    return new Document(
        Media.builder().mimeType(MimeTypeUtils.IMAGE_PNG).data(file).build(), Map.of());
  }

  @Test
  void givesTheEncodersOwnVectorsInOrder() {
    byte[] png = DrawnImages.redCircle();
    Document picture = image(png);
    Document words = new Document("a blue square", Map.of("source", "elsewhere"));
    EmbeddingResponse response =
        new OcellusDocumentEmbeddingModel(encoder)
            .call(new DocumentEmbeddingRequest(List.of(words, picture, new Document("a star"))));
    assertThat(response.getResults()).hasSize(3);
    assertThat(response.getResults().get(0).getOutput())
        .isEqualTo(encoder.embedText("a blue square"));
    assertThat(response.getResults().get(1).getOutput())
        .isEqualTo(encoder.embedImage(ImageDecoder.decode(png, ImageLimits.DEFAULT)));
    assertThat(response.getResults().get(1).getMetadata().getModalityType())
        .isEqualTo(ModalityType.IMAGE);
    assertThat(response.getResults().get(1).getMetadata().getDocumentId())
        .isEqualTo(picture.getId());
    assertThat(response.getResults().get(2).getIndex()).isEqualTo(2);
    assertThat(response.getMetadata().getModel()).isEqualTo(DemoModel.DUAL_ENCODER);
    assertThat(response.getMetadata().getUsage().getPromptTokens()).isPositive();
  }

  @Test
  void aTextFindsTheImageThatItDescribes() {
    var texts = new OcellusEmbeddingModel(encoder);
    float[] picture = texts.embed(image(DrawnImages.redCircle()));
    double fits = Vectors.dot(picture, texts.embed("a red circle"));
    double fitsNot = Vectors.dot(picture, texts.embed("a blue square"));
    assertThat(fits).isGreaterThan(fitsNot);
    assertThat(texts.dimensions()).isEqualTo(picture.length);
  }

  @Test
  void tellsObserversOfEveryCall() {
    TestObservationRegistry registry = TestObservationRegistry.create();
    var model =
        new OcellusEmbeddingModel(
            encoder,
            "clip",
            MediaLoader.NONE,
            registry,
            new DefaultEmbeddingModelObservationConvention());
    assertThat(model.embed(List.of("a", "b"))).hasSize(2);
    TestObservationRegistryAssert.assertThat(registry)
        .hasObservationWithNameEqualTo("gen_ai.client.operation")
        .that()
        .hasLowCardinalityKeyValue("gen_ai.operation.name", "embedding")
        .hasLowCardinalityKeyValue("gen_ai.response.model", "clip")
        .hasBeenStopped();
  }

  @Test
  void refusesWhatItCannotDo() {
    var texts = new OcellusEmbeddingModel(encoder);
    var documents = new OcellusDocumentEmbeddingModel(encoder);
    EmbeddingOptions shorter = EmbeddingOptions.builder().dimensions(8).build();
    assertThatThrownBy(() -> texts.call(new EmbeddingRequest(List.of("a"), shorter)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("dimensions");
    EmbeddingOptions other = EmbeddingOptions.builder().model("ada").build();
    assertThatThrownBy(() -> texts.call(new EmbeddingRequest(List.of("a"), other)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("ada");
    Document sound =
        new Document(
            Media.builder().mimeType(MimeType.valueOf("audio/wav")).data(new byte[4]).build(),
            Map.of());
    assertThatThrownBy(() -> documents.call(new DocumentEmbeddingRequest(sound)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("audio/wav");
    assertThatThrownBy(
            () -> documents.call(new DocumentEmbeddingRequest(image(new byte[] {1, 2, 3}))))
        .isInstanceOf(ImageFormatException.class);
  }
}
