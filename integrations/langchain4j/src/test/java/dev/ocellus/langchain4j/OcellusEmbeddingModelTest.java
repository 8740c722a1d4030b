package dev.ocellus.langchain4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.langchain4j.data.message.ImageContent;
import dev.langchain4j.data.message.TextContent;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.model.embedding.common.AbstractEmbeddingModelIT;
import dev.langchain4j.model.embedding.listener.EmbeddingModelListener;
import dev.langchain4j.model.embedding.request.EmbeddingInput;
import dev.langchain4j.model.embedding.request.EmbeddingRequest;
import dev.ocellus.vlm.DemoModel;
import dev.ocellus.vlm.embedding.DualEncoder;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** LangChain4j's own test kit, with the embedded dual encoder. */
class OcellusEmbeddingModelTest extends AbstractEmbeddingModelIT {
  private static final DualEncoder ENCODER = open();

  private static DualEncoder open() {
    try {
      return DualEncoder.open(DemoModel.dualEncoder());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @AfterAll
  static void close() {
    ENCODER.close();
  }

  @Override
  protected List<EmbeddingModel> models() {
    return List.of(OcellusEmbeddingModel.builder().encoder(ENCODER).modelName("demo").build());
  }

  @Override
  protected EmbeddingModel modelWith(EmbeddingModelListener listener) {
    return OcellusEmbeddingModel.builder().encoder(ENCODER).listeners(List.of(listener)).build();
  }

  /** These models give queries and documents the same vectors. */
  @Override
  protected boolean supportsInputTypeParameter() {
    return false;
  }

  /** Their vectors have one length, that of training. */
  @Override
  protected boolean supportsDimensionsParameter() {
    return false;
  }

  @Override
  protected boolean supportsImageInput() {
    return true;
  }

  /** A dual encoder has one encoder for texts and one for images, and none for both. */
  @Override
  protected boolean supportsInterleavedInput() {
    return false;
  }

  /** The kit's own is at an address of the internet. */
  @Override
  protected ImageContent catImage() {
    try (InputStream in =
        Objects.requireNonNull(EmbeddingModel.class.getResourceAsStream("/images/cat.jpg"))) {
      return ImageContent.from(Base64.getEncoder().encodeToString(in.readAllBytes()), "image/jpeg");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void givesTheEncodersOwnVectorsInOrder() {
    EmbeddingModel model = models().getFirst();
    var response =
        model.embed(
            EmbeddingRequest.builder()
                .inputs(
                    List.of(
                        EmbeddingInput.from("a red circle"),
                        EmbeddingInput.from(catImage()),
                        EmbeddingInput.from("a blue square")))
                .build());
    assertThat(response.embeddings()).hasSize(3);
    assertThat(response.embeddings().get(0).vector()).isEqualTo(ENCODER.embedText("a red circle"));
    assertThat(response.embeddings().get(2).vector()).isEqualTo(ENCODER.embedText("a blue square"));
    assertThat(response.tokenUsage().totalTokenCount()).isPositive();
  }

  @Test
  void refusesWhatItCannotDo() {
    EmbeddingModel model = models().getFirst();
    EmbeddingInput both = EmbeddingInput.from(TextContent.from("a"), catImage());
    assertThatThrownBy(() -> model.embed(EmbeddingRequest.builder().inputs(List.of(both)).build()))
        .isInstanceOf(UnsupportedFeatureException.class);
    EmbeddingInput damaged = EmbeddingInput.from(ImageContent.from("AAAA", "image/png"));
    assertThatThrownBy(
            () -> model.embed(EmbeddingRequest.builder().inputs(List.of(damaged)).build()))
        .isInstanceOf(InvalidRequestException.class);
  }
}
