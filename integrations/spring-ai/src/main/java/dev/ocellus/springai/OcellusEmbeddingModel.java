package dev.ocellus.springai;

import dev.ocellus.vlm.embedding.DualEncoder;
import io.micrometer.observation.ObservationRegistry;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.document.Document;
import org.springframework.ai.embedding.EmbeddingModel;
import org.springframework.ai.embedding.EmbeddingRequest;
import org.springframework.ai.embedding.EmbeddingResponse;
import org.springframework.ai.embedding.observation.DefaultEmbeddingModelObservationConvention;
import org.springframework.ai.embedding.observation.EmbeddingModelObservationContext;
import org.springframework.ai.embedding.observation.EmbeddingModelObservationConvention;
import org.springframework.ai.embedding.observation.EmbeddingModelObservationDocumentation;

/**
 * The text side of a dual encoder such as CLIP or SigLIP as an embedding model of Spring AI. Its
 * vectors lie in one space with those that {@link OcellusDocumentEmbeddingModel} gives images, so a
 * store of images is searched with it. They have length 1; texts are cut at the model's context
 * length.
 *
 * <p>Thread-safe. Other dimensions or models in the options are refused with {@link
 * IllegalArgumentException}.
 */
public final class OcellusEmbeddingModel implements EmbeddingModel {
  private static final String PROVIDER = "ocellus";
  private static final EmbeddingModelObservationConvention DEFAULT_CONVENTION =
      new DefaultEmbeddingModelObservationConvention();

  private final EmbeddingSource source;
  private final ObservationRegistry observations;
  private final EmbeddingModelObservationConvention convention;

  /**
   * A model that is told to nobody.
   *
   * @param encoder not closed with this
   */
  public OcellusEmbeddingModel(DualEncoder encoder) {
    this(encoder, null, MediaLoader.NONE, ObservationRegistry.NOOP, DEFAULT_CONVENTION);
  }

  /**
   * @param encoder not closed with this
   * @param modelName what responses call it; null for the name of its file
   * @param mediaLoader how media of documents are fetched of which there is the address only
   * @param observations told of every call
   * @param convention what is told of it
   */
  public OcellusEmbeddingModel(
      DualEncoder encoder,
      @Nullable String modelName,
      MediaLoader mediaLoader,
      ObservationRegistry observations,
      EmbeddingModelObservationConvention convention) {
    this.source = new EmbeddingSource(encoder, modelName, mediaLoader);
    this.observations = observations;
    this.convention = convention;
  }

  @Override
  public EmbeddingResponse call(EmbeddingRequest request) {
    source.requireSupported(request.getOptions());
    EmbeddingModelObservationContext context =
        EmbeddingModelObservationContext.builder()
            .embeddingRequest(request)
            .provider(PROVIDER)
            .build();
    return Objects.requireNonNull(
        EmbeddingModelObservationDocumentation.EMBEDDING_MODEL_OPERATION
            .observation(convention, DEFAULT_CONVENTION, () -> context, observations)
            .observe(() -> {
              EmbeddingResponse response = source.texts(request.getInstructions());
              context.setResponse(response);
              return response;
            }));
  }

  /** The vector of a document: of its text, or of the image that it has instead. */
  @Override
  public float[] embed(Document document) {
    return source.documents(List.of(document)).getResult().getOutput();
  }

  @Override
  public String getEmbeddingContent(Document document) {
    return EmbeddingSource.text(document);
  }

  @Override
  public int dimensions() {
    return source.dimensions();
  }
}
