package dev.ocellus.springai.autoconfigure;

import dev.ocellus.springai.MediaLoader;
import dev.ocellus.springai.OcellusChatModel;
import dev.ocellus.vlm.VisionLanguageModel;
import io.micrometer.observation.ObservationRegistry;
import java.io.IOException;
import java.util.Objects;
import org.springframework.ai.chat.observation.ChatModelObservationConvention;
import org.springframework.ai.model.SpringAIModelProperties;
import org.springframework.ai.model.tool.ToolCallingManager;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;

/**
 * A chat model of Spring AI, where {@code ocellus.chat.model} names one or there is a bean of the
 * type {@link VisionLanguageModel}. Both are closed with the application.
 */
@AutoConfiguration(
    afterName = "org.springframework.ai.model.tool.autoconfigure.ToolCallingAutoConfiguration")
@ConditionalOnProperty(
    name = SpringAIModelProperties.CHAT_MODEL,
    havingValue = OcellusChatAutoConfiguration.OCELLUS,
    matchIfMissing = true)
@EnableConfigurationProperties(OcellusChatProperties.class)
public class OcellusChatAutoConfiguration {
  static final String OCELLUS = "ocellus";

  /**
   * The model, loaded when the application starts.
   *
   * @throws IOException if a file of it cannot be read
   * @throws dev.ocellus.OcellusException if a file is damaged or of the wrong kind, or the named
   *     model cannot be had
   */
  @Bean(destroyMethod = "close")
  @ConditionalOnMissingBean
  @ConditionalOnProperty("ocellus.chat.model")
  VisionLanguageModel ocellusVisionLanguageModel(OcellusChatProperties properties)
      throws IOException {
    var location = new ModelLocation(Objects.requireNonNull(properties.model()));
    return VisionLanguageModel.open(properties.configured(location.chat(properties.mmproj())));
  }

  @Bean(destroyMethod = "close")
  @ConditionalOnMissingBean
  @ConditionalOnBean(VisionLanguageModel.class)
  OcellusChatModel ocellusChatModel(
      VisionLanguageModel model,
      OcellusChatProperties properties,
      ObjectProvider<ToolCallingManager> tools,
      ObjectProvider<MediaLoader> media,
      ObjectProvider<ObservationRegistry> observations,
      ObjectProvider<ChatModelObservationConvention> convention) {
    OcellusChatModel.Builder builder =
        OcellusChatModel.builder().model(model).options(properties.toOptions());
    tools.ifUnique(builder::toolCallingManager);
    media.ifUnique(builder::mediaLoader);
    observations.ifUnique(builder::observationRegistry);
    convention.ifUnique(builder::observationConvention);
    return builder.build();
  }
}
