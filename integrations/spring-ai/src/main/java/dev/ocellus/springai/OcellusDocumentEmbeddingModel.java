package dev.ocellus.springai;

import dev.ocellus.vlm.embedding.DualEncoder;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.embedding.DocumentEmbeddingModel;
import org.springframework.ai.embedding.DocumentEmbeddingRequest;
import org.springframework.ai.embedding.EmbeddingResponse;

/**
 * A dual encoder such as CLIP or SigLIP as a multimodal embedding model of Spring AI: documents of
 * text and documents of an image in one space, vectors of length 1, one for each document.
 *
 * <p>Thread-safe. Media of other types than images, other dimensions and other models are refused
 * with {@link IllegalArgumentException}, damaged images with an {@link
 * dev.ocellus.OcellusException}.
 */
public final class OcellusDocumentEmbeddingModel implements DocumentEmbeddingModel {
  private final EmbeddingSource source;

  /**
   * @param encoder not closed with this
   */
  public OcellusDocumentEmbeddingModel(DualEncoder encoder) {
    this(encoder, null, MediaLoader.NONE);
  }

  /**
   * @param encoder not closed with this
   * @param modelName what responses call it; null for the name of its file
   * @param mediaLoader how media are fetched of which there is the address only
   */
  public OcellusDocumentEmbeddingModel(
      DualEncoder encoder, @Nullable String modelName, MediaLoader mediaLoader) {
    this.source = new EmbeddingSource(encoder, modelName, mediaLoader);
  }

  @Override
  public EmbeddingResponse call(DocumentEmbeddingRequest request) {
    source.requireSupported(request.getOptions());
    return source.documents(request.getInstructions());
  }

  @Override
  public int dimensions() {
    return source.dimensions();
  }
}
