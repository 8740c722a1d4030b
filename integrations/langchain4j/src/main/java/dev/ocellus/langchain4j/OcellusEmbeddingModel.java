package dev.ocellus.langchain4j;

import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.data.message.Content;
import dev.langchain4j.data.message.ContentType;
import dev.langchain4j.data.message.ImageContent;
import dev.langchain4j.data.message.TextContent;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.ModelProvider;
import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.model.embedding.listener.EmbeddingModelListener;
import dev.langchain4j.model.embedding.request.EmbeddingInput;
import dev.langchain4j.model.embedding.request.EmbeddingParameter;
import dev.langchain4j.model.embedding.request.EmbeddingRequest;
import dev.langchain4j.model.embedding.request.EmbeddingRequestParameters;
import dev.langchain4j.model.embedding.response.EmbeddingResponse;
import dev.langchain4j.model.output.TokenUsage;
import dev.ocellus.OcellusException;
import dev.ocellus.vlm.embedding.DualEncoder;
import dev.ocellus.vlm.image.RgbImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A dual encoder such as CLIP or SigLIP as an embedding model of LangChain4j: texts and images in
 * one space, vectors of length 1.
 *
 * <p>An input is one text or one image; texts are cut at the model's context length. Thread-safe.
 * Not supported, and refused: inputs of several parts, dimensions and input types, which these
 * models were not trained for.
 */
public final class OcellusEmbeddingModel implements EmbeddingModel, AutoCloseable {
  private final DualEncoder encoder;
  private final boolean owned;
  private final String modelName;
  private final Images images;
  private final List<EmbeddingModelListener> listeners;

  private OcellusEmbeddingModel(Builder builder, DualEncoder encoder) {
    this.encoder = encoder;
    this.owned = builder.encoder == null;
    this.modelName =
        builder.modelName != null
            ? builder.modelName
            : String.valueOf(encoder.path().getFileName()).replaceFirst("\\.gguf$", "");
    this.images = new Images(builder.imageLoader);
    this.listeners = builder.listeners;
  }

  @Override
  public EmbeddingResponse doEmbed(EmbeddingRequest request) {
    requireSupported(request);
    try {
      Inputs inputs = new Inputs(request.inputs());
      return EmbeddingResponse.builder()
          .embeddings(inputs.embed())
          .modelName(modelName)
          .tokenUsage(new TokenUsage(inputs.nTokens, 0, inputs.nTokens))
          .build();
    } catch (OcellusException | IllegalArgumentException e) {
      throw new InvalidRequestException(e.getMessage(), e);
    }
  }

  private void requireSupported(EmbeddingRequest request) {
    EmbeddingRequestParameters asked = request.parameters();
    if (asked.dimensions() != null && asked.dimensions() != dimension()) {
      throw new UnsupportedFeatureException(
          "'dimensions' is not supported: the vectors of %s have %d numbers"
              .formatted(modelName, dimension()));
    }
    if (asked.inputType() != null) {
      throw new UnsupportedFeatureException(
          "'inputType' is not supported: queries and documents get the same vectors");
    }
    if (asked.modelName() != null && !asked.modelName().equals(modelName)) {
      throw new UnsupportedFeatureException(
          "'modelName' is not supported per request: this is " + modelName);
    }
  }

  /** The inputs of a request, taken apart so that texts and images are encoded in batches. */
  private final class Inputs {
    private final List<String> texts = new ArrayList<>();
    private final List<RgbImage> pictures = new ArrayList<>();
    private final List<Boolean> isText = new ArrayList<>();
    private int nTokens;

    Inputs(List<EmbeddingInput> inputs) {
      for (EmbeddingInput input : inputs) {
        if (input.contents().size() != 1) {
          throw new UnsupportedFeatureException(
              "An input of %d parts is not supported: this model gives a text or an image a vector, not both together"
                  .formatted(input.contents().size()));
        }
        add(input.contents().getFirst());
      }
    }

    private void add(Content content) {
      switch (content) {
        case TextContent text -> {
          texts.add(text.text());
          nTokens += encoder.tokenize(text.text()).ids().length;
        }
        case ImageContent image -> pictures.add(images.decode(image.image()));
        default ->
            throw new UnsupportedFeatureException(
                "Contents of the type %s are not supported; text and images are"
                    .formatted(content.type()));
      }
      isText.add(content instanceof TextContent);
    }

    List<Embedding> embed() {
      var ofTexts = encoder.embedTexts(texts).iterator();
      var ofImages = encoder.embedImages(pictures).iterator();
      List<Embedding> all = new ArrayList<>();
      for (boolean text : isText) {
        all.add(Embedding.from(text ? ofTexts.next() : ofImages.next()));
      }
      return all;
    }
  }

  @Override
  public Set<ContentType> supportedContentTypes() {
    return Set.of(ContentType.TEXT, ContentType.IMAGE);
  }

  @Override
  public Set<EmbeddingParameter<?>> supportedParameters() {
    return Set.of();
  }

  @Override
  public List<EmbeddingModelListener> listeners() {
    return listeners;
  }

  @Override
  public ModelProvider provider() {
    return ModelProvider.OTHER;
  }

  @Override
  public int dimension() {
    return encoder.dimension();
  }

  @Override
  public String modelName() {
    return modelName;
  }

  /** Frees the encoder, if it was opened for this. */
  @Override
  public void close() {
    if (owned) {
      encoder.close();
    }
  }

  /** A builder. */
  public static Builder builder() {
    return new Builder();
  }

  /** Makes embedding models. */
  public static final class Builder {
    private @Nullable DualEncoder encoder;
    private @Nullable Path path;
    private @Nullable String modelName;
    private ImageLoader imageLoader = ImageLoader.NONE;
    private List<EmbeddingModelListener> listeners = List.of();

    private Builder() {}

    /** An encoder that is open already; whoever opened it closes it. */
    public Builder encoder(DualEncoder encoder) {
      this.encoder = encoder;
      return this;
    }

    /** A GGUF file to open, or the folder of a checkpoint; closed with the model. */
    public Builder path(Path path) {
      this.path = path;
      return this;
    }

    /** What responses call the model. Default: the name of its file. */
    public Builder modelName(String modelName) {
      this.modelName = modelName;
      return this;
    }

    /** How images are fetched of which a message has the address only. Default: not at all. */
    public Builder imageLoader(ImageLoader imageLoader) {
      this.imageLoader = imageLoader;
      return this;
    }

    public Builder listeners(List<EmbeddingModelListener> listeners) {
      this.listeners = List.copyOf(listeners);
      return this;
    }

    /**
     * Opens the encoder, unless one was given.
     *
     * @throws OcellusException if its file is damaged or another kind of model
     * @throws UncheckedIOException if it cannot be read
     */
    public OcellusEmbeddingModel build() {
      if (encoder != null) {
        return new OcellusEmbeddingModel(this, encoder);
      }
      if (path == null) {
        throw new IllegalArgumentException("a model is needed: encoder(…) or path(…)");
      }
      try {
        return new OcellusEmbeddingModel(this, DualEncoder.open(path));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
