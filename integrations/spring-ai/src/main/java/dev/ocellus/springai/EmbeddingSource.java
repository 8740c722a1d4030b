package dev.ocellus.springai;

import dev.ocellus.vlm.embedding.DualEncoder;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.chat.metadata.DefaultUsage;
import org.springframework.ai.content.Media;
import org.springframework.ai.document.Document;
import org.springframework.ai.document.MetadataMode;
import org.springframework.ai.embedding.Embedding;
import org.springframework.ai.embedding.EmbeddingOptions;
import org.springframework.ai.embedding.EmbeddingResponse;
import org.springframework.ai.embedding.EmbeddingResponseMetadata;
import org.springframework.ai.embedding.EmbeddingResultMetadata;
import org.springframework.ai.embedding.EmbeddingResultMetadata.ModalityType;
import org.springframework.util.MimeTypeUtils;

/** The vectors of a dual encoder, as both embedding models give them. */
final class EmbeddingSource {
  private final DualEncoder encoder;
  private final String modelName;
  private final MediaReader media;

  EmbeddingSource(DualEncoder encoder, @Nullable String modelName, MediaLoader mediaLoader) {
    this.encoder = encoder;
    this.modelName =
        modelName != null
            ? modelName
            : String.valueOf(encoder.path().getFileName()).replaceFirst("\\.gguf$", "");
    this.media = new MediaReader(mediaLoader);
  }

  int dimensions() {
    return encoder.dimension();
  }

  /**
   * Refuses what the model has not.
   *
   * @throws IllegalArgumentException if another model or another number of dimensions is asked for
   */
  void requireSupported(@Nullable EmbeddingOptions options) {
    if (options == null) {
      return;
    }
    if (options.getDimensions() != null && options.getDimensions() != encoder.dimension()) {
      throw new IllegalArgumentException(
          "dimensions: the vectors of %s have %d numbers and cannot be cut, found %d"
              .formatted(modelName, encoder.dimension(), options.getDimensions()));
    }
    if (options.getModel() != null && !options.getModel().equals(modelName)) {
      throw new IllegalArgumentException(
          "The model of a request cannot be chosen: this is %s, and not %s"
              .formatted(modelName, options.getModel()));
    }
  }

  /** The vectors of texts, in their order. */
  EmbeddingResponse texts(List<String> texts) {
    List<float[]> vectors = encoder.embedTexts(texts);
    List<Embedding> all = new ArrayList<>();
    for (int i = 0; i < vectors.size(); i++) {
      all.add(new Embedding(vectors.get(i), i));
    }
    return response(all, texts);
  }

  /** The vectors of documents, each a text or an image, in their order. */
  EmbeddingResponse documents(List<Document> documents) {
    List<Document> ofText = documents.stream().filter(Document::isText).toList();
    List<Document> ofImages = documents.stream().filter(d -> !d.isText()).toList();
    List<String> texts = ofText.stream().map(EmbeddingSource::text).toList();
    var textVectors = encoder.embedTexts(texts).iterator();
    var imageVectors =
        encoder
            .embedImages(ofImages.stream().map(d -> media.pixels(mediaOf(d))).toList())
            .iterator();
    List<Embedding> all = new ArrayList<>();
    for (Document document : documents) {
      float[] vector = document.isText() ? textVectors.next() : imageVectors.next();
      all.add(new Embedding(vector, all.size(), metadata(document)));
    }
    return response(all, texts);
  }

  /** Without the document's metadata, of which these models know nothing. */
  static String text(Document document) {
    return document.getFormattedContent(MetadataMode.NONE);
  }

  private static Media mediaOf(Document document) {
    Media media = document.getMedia();
    if (media == null) {
      throw new IllegalArgumentException(
          "The document %s has neither text nor media".formatted(document.getId()));
    }
    return media;
  }

  private static EmbeddingResultMetadata metadata(Document document) {
    Media media = document.getMedia();
    return media == null
        ? new EmbeddingResultMetadata(
            document.getId(), ModalityType.TEXT, MimeTypeUtils.TEXT_PLAIN, document.getText())
        : new EmbeddingResultMetadata(
            document.getId(), ModalityType.IMAGE, media.getMimeType(), media.getData());
  }

  private EmbeddingResponse response(List<Embedding> embeddings, List<String> texts) {
    int nTokens = texts.stream().mapToInt(text -> encoder.tokenize(text).ids().length).sum();
    return new EmbeddingResponse(
        embeddings,
        new EmbeddingResponseMetadata(modelName, new DefaultUsage(nTokens, 0, nTokens)));
  }
}
