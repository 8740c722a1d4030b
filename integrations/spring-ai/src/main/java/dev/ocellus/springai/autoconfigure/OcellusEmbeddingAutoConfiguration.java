package dev.ocellus.springai.autoconfigure;

import dev.ocellus.springai.MediaLoader;
import dev.ocellus.springai.OcellusDocumentEmbeddingModel;
import dev.ocellus.springai.OcellusEmbeddingModel;
import dev.ocellus.vlm.embedding.DualEncoder;
import io.micrometer.observation.ObservationRegistry;
import java.io.IOException;
import java.util.Objects;
import org.springframework.ai.embedding.observation.DefaultEmbeddingModelObservationConvention;
import org.springframework.ai.embedding.observation.EmbeddingModelObservationConvention;
import org.springframework.ai.model.SpringAIModelProperties;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;

/**
 * Embedding models of Spring AI, where {@code ocellus.embedding.model} names a dual encoder or
 * there is a bean of the type {@link DualEncoder}, which is closed with the application.
 */
@AutoConfiguration
@EnableConfigurationProperties(OcellusEmbeddingProperties.class)
public class OcellusEmbeddingAutoConfiguration {
  /**
   * The encoder, loaded when the application starts.
   *
   * @throws IOException if its file cannot be read
   * @throws dev.ocellus.OcellusException if it is damaged or another kind of model, or the named
   *     model cannot be had
   */
  @Bean(destroyMethod = "close")
  @ConditionalOnMissingBean
  @ConditionalOnProperty("ocellus.embedding.model")
  DualEncoder ocellusDualEncoder(OcellusEmbeddingProperties properties) throws IOException {
    var location = new ModelLocation(Objects.requireNonNull(properties.model()));
    return DualEncoder.open(location.embedding(), properties.toOptions());
  }

  @Bean
  @ConditionalOnMissingBean
  @ConditionalOnBean(DualEncoder.class)
  @ConditionalOnProperty(
      name = SpringAIModelProperties.EMBEDDING_MODEL,
      havingValue = OcellusChatAutoConfiguration.OCELLUS,
      matchIfMissing = true)
  OcellusEmbeddingModel ocellusEmbeddingModel(
      DualEncoder encoder,
      OcellusEmbeddingProperties properties,
      ObjectProvider<MediaLoader> media,
      ObjectProvider<ObservationRegistry> observations,
      ObjectProvider<EmbeddingModelObservationConvention> convention) {
    return new OcellusEmbeddingModel(
        encoder,
        properties.name(),
        media.getIfUnique(() -> MediaLoader.NONE),
        observations.getIfUnique(() -> ObservationRegistry.NOOP),
        convention.getIfUnique(DefaultEmbeddingModelObservationConvention::new));
  }

  @Bean
  @ConditionalOnMissingBean
  @ConditionalOnBean(DualEncoder.class)
  @ConditionalOnProperty(
      name = SpringAIModelProperties.MULTI_MODAL_EMBEDDING_MODEL,
      havingValue = OcellusChatAutoConfiguration.OCELLUS,
      matchIfMissing = true)
  OcellusDocumentEmbeddingModel ocellusDocumentEmbeddingModel(
      DualEncoder encoder,
      OcellusEmbeddingProperties properties,
      ObjectProvider<MediaLoader> media) {
    return new OcellusDocumentEmbeddingModel(
        encoder, properties.name(), media.getIfUnique(() -> MediaLoader.NONE));
  }
}
