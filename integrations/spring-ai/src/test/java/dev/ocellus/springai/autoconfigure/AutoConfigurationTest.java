package dev.ocellus.springai.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.springai.OcellusChatModel;
import dev.ocellus.springai.OcellusDocumentEmbeddingModel;
import dev.ocellus.springai.OcellusEmbeddingModel;
import dev.ocellus.testkit.DrawnImages;
import dev.ocellus.testkit.ScriptedModels;
import dev.ocellus.vlm.VisionLanguageModel;
import java.nio.file.NoSuchFileException;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.springframework.ai.chat.client.ChatClient;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.content.Media;
import org.springframework.ai.document.Document;
import org.springframework.ai.embedding.DocumentEmbeddingModel;
import org.springframework.ai.embedding.DocumentEmbeddingRequest;
import org.springframework.ai.embedding.EmbeddingModel;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.io.ByteArrayResource;
import org.springframework.util.MimeTypeUtils;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** What is there when an application starts, and what is freed when it ends. */
class AutoConfigurationTest {
  private final ApplicationContextRunner contexts =
      new ApplicationContextRunner()
          .withConfiguration(
              AutoConfigurations.of(
                  OcellusChatAutoConfiguration.class, OcellusEmbeddingAutoConfiguration.class));

  /** As a user's application is. */
  @Configuration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  static class Application {}

  @Test
  void anApplicationAnswersAboutAPicture() {
    VisionLanguageModel model;
    try (ConfigurableApplicationContext context =
        SpringApplication.run(
            Application.class,
            "--spring.main.banner-mode=off",
            "--ocellus.chat.model=demo",
            "--ocellus.chat.temperature=0",
            "--ocellus.embedding.model=demo")) {
      String answer =
          context
              .getBean(ChatClient.Builder.class)
              .build()
              .prompt()
              .user(user ->
                  user.text("Describe the picture.")
                      .media(
                          MimeTypeUtils.IMAGE_PNG, new ByteArrayResource(DrawnImages.redCircle())))
              .call()
              .content();
      assertThat(answer).contains("red").contains("circle");
      var picture =
          Media.builder().mimeType(MimeTypeUtils.IMAGE_PNG).data(DrawnImages.redCircle()).build();
      var vectors =
          context
              .getBean(DocumentEmbeddingModel.class)
              .call(new DocumentEmbeddingRequest(new Document(picture, Map.of())));
      assertThat(vectors.getResult().getOutput())
          .hasSize(context.getBean(EmbeddingModel.class).dimensions());
      model = context.getBean(VisionLanguageModel.class);
    }
    assertThatThrownBy(model::newChat).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void propertiesBecomeOptions() {
    contexts
        .withPropertyValues(
            "ocellus.chat.model=demo",
            "ocellus.chat.name=shapes",
            "ocellus.chat.context-size=1024",
            "ocellus.chat.parallel=2",
            "ocellus.chat.vision-precision=fast",
            "ocellus.chat.max-tokens=9",
            "ocellus.chat.stop=END,STOP",
            "ocellus.chat.seed=5")
        .run(context -> {
          OcellusChatModel chat = context.getBean(OcellusChatModel.class);
          assertThat(chat.getOptions().getModel()).isEqualTo("shapes");
          assertThat(chat.getOptions().getMaxTokens()).isEqualTo(9);
          assertThat(chat.getOptions().getStopSequences()).containsExactly("END", "STOP");
          assertThat(chat.getOptions().getSeed()).isEqualTo(5);
          var loaded = context.getBean(VisionLanguageModel.class).options();
          assertThat(loaded.contextOptions().nCtx()).isEqualTo(1024);
          assertThat(loaded.sessions().parallel()).isEqualTo(2);
          assertThat(loaded.vision().precision().name()).isEqualTo("FAST");
        });
  }

  @Test
  void severalAnswersComeAtTheSameTime() {
    contexts
        .withPropertyValues(
            "ocellus.chat.model=demo", "ocellus.chat.parallel=2", "ocellus.chat.temperature=0")
        .run(context -> {
          OcellusChatModel chat = context.getBean(OcellusChatModel.class);
          String alone = chat.call("a red circle");
          var streams = IntStream.range(0, 4).mapToObj(i -> pieces(chat.stream("a red circle")));
          assertThat(Flux.merge(streams.toList()).collectList().block())
              .hasSize(4)
              .allMatch(Objects.requireNonNull(alone)::equals);
        });
  }

  private static Mono<String> pieces(Flux<String> pieces) {
    return pieces.limitRate(1).collect(Collectors.joining());
  }

  @Test
  void nothingIsLoadedThatNobodyNamed() {
    contexts.run(context -> {
      assertThat(context).doesNotHaveBean(ChatModel.class);
      assertThat(context).doesNotHaveBean(EmbeddingModel.class);
      assertThat(context).doesNotHaveBean(DocumentEmbeddingModel.class);
    });
  }

  @Test
  void anotherProviderCanBeChosenForEach() {
    contexts
        .withPropertyValues(
            "ocellus.chat.model=demo",
            "ocellus.embedding.model=demo",
            "spring.ai.model.chat=openai",
            "spring.ai.model.embedding=openai")
        .run(context -> {
          assertThat(context).doesNotHaveBean(OcellusChatModel.class);
          assertThat(context).doesNotHaveBean(VisionLanguageModel.class);
          assertThat(context).doesNotHaveBean(OcellusEmbeddingModel.class);
          assertThat(context).hasSingleBean(OcellusDocumentEmbeddingModel.class);
        });
  }

  /** A model that the application opens itself. */
  @Configuration(proxyBeanMethods = false)
  static class OwnModel {
    @Bean
    VisionLanguageModel scripted() {
      return ScriptedModels.scripted(prompt -> "as I like it");
    }
  }

  @Test
  void aModelOfTheApplicationIsTaken() {
    contexts
        .withUserConfiguration(OwnModel.class)
        .run(context ->
            assertThat(context.getBean(ChatModel.class).call("Hi")).isEqualTo("as I like it"));
  }

  @Test
  void aModelThatIsNotThereIsNamedWhenTheApplicationStarts() {
    contexts
        .withPropertyValues("ocellus.chat.model=no-such-model.gguf")
        .run(context ->
            assertThat(context)
                .getFailure()
                .rootCause()
                .isInstanceOf(NoSuchFileException.class)
                .hasMessageContaining("no-such-model.gguf"));
  }
}
