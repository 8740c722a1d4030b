package dev.ocellus.springai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.testkit.ScriptedModels;
import dev.ocellus.vlm.VisionLanguageModel;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.springframework.ai.chat.messages.SystemMessage;
import org.springframework.ai.chat.messages.UserMessage;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.chat.model.Generation;
import org.springframework.ai.chat.prompt.ChatOptions;
import org.springframework.ai.chat.prompt.Prompt;
import reactor.core.publisher.BaseSubscriber;
import reactor.test.StepVerifier;

/** Answers whole and in pieces, with a model that knows them. */
@Timeout(120)
class OcellusChatModelTest {
  private static final Prompt COUNT = new Prompt("Count to ten, twenty times.");

  private final AtomicInteger nGenerated = new AtomicInteger();
  private final VisionLanguageModel scripted = ScriptedModels.scripted(Answers::to, nGenerated);
  private final OcellusChatModel model =
      OcellusChatModel.builder()
          .model(scripted)
          .options(OcellusChatOptions.builder().model("scripted").temperature(0.0).build())
          .build();

  @AfterEach
  void close() {
    model.close();
    scripted.close();
  }

  private static Generation result(ChatResponse response) {
    Generation result = response.getResult();
    assertThat(result).isNotNull();
    return result;
  }

  private static String text(ChatResponse response) {
    String text = result(response).getOutput().getText();
    return text == null ? "" : text;
  }

  @Test
  void answersWithMetadata() {
    ChatResponse response =
        model.call(new Prompt(List.of(new SystemMessage("Be kind."), new UserMessage("Hi"))));
    assertThat(text(response)).isEqualTo("Hello, how are you?");
    assertThat(result(response).getMetadata().getFinishReason()).isEqualTo("stop");
    assertThat(response.getMetadata().getModel()).isEqualTo("scripted");
    assertThat(response.getMetadata().getId()).startsWith("ocellus-");
    var usage = response.getMetadata().getUsage();
    assertThat(usage.getPromptTokens()).isPositive();
    assertThat(usage.getTotalTokens())
        .isEqualTo(usage.getPromptTokens() + usage.getCompletionTokens());
  }

  @Test
  void aFurtherTurnUsesWhatStandsInTheContext() {
    UserMessage first = new UserMessage("Hi");
    ChatResponse answer = model.call(new Prompt(first));
    ChatResponse second =
        model.call(
            new Prompt(List.of(first, result(answer).getOutput(), new UserMessage("And now?"))));
    assertThat(second.getMetadata().getUsage().getCacheReadInputTokens())
        .isGreaterThanOrEqualTo(answer.getMetadata().getUsage().getPromptTokens().longValue());
  }

  @Test
  void optionsOfThePromptCount() {
    ChatResponse cut = model.call(COUNT.mutate().chatOptions(maxTokens(3)).build());
    assertThat(cut.getMetadata().getUsage().getCompletionTokens()).isEqualTo(3);
    assertThat(result(cut).getMetadata().getFinishReason()).isEqualTo("length");
    ChatResponse stopped =
        model.call(
            COUNT
                .mutate()
                .chatOptions(ChatOptions.builder().stopSequences(List.of("three")).build())
                .build());
    assertThat(text(stopped)).isEqualTo("one two ");
  }

  private static ChatOptions maxTokens(int n) {
    return ChatOptions.builder().maxTokens(n).build();
  }

  @Test
  void anotherModelsNameIsRefused() {
    Prompt prompt = new Prompt("Hi", ChatOptions.builder().model("gpt-4").build());
    assertThatThrownBy(() -> model.call(prompt))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("scripted")
        .hasMessageContaining("gpt-4");
    StepVerifier.create(model.stream(prompt)).verifyError(IllegalArgumentException.class);
  }

  @Test
  void streamsTheSameAnswerInPieces() {
    List<ChatResponse> pieces = model.stream(COUNT).collectList().block();
    assertThat(pieces).isNotNull().hasSizeGreaterThan(100);
    assertThat(String.join("", pieces.stream().map(OcellusChatModelTest::text).toList()))
        .isEqualTo(text(model.call(COUNT)));
    assertThat(pieces.stream().map(p -> p.getMetadata().getId()).distinct()).hasSize(1);
    ChatResponse last = pieces.getLast();
    assertThat(result(last).getMetadata().getFinishReason()).isEqualTo("stop");
    assertThat(last.getMetadata().getUsage().getCompletionTokens()).isGreaterThan(100);
    assertThat(pieces.getFirst().getMetadata().getUsage().getTotalTokens()).isZero();
  }

  @Test
  void generatesNothingBeforeSomebodySubscribesAndForEachAnew() {
    var pieces =
        model.stream(COUNT.mutate().chatOptions(maxTokens(4)).build())
            .map(OcellusChatModelTest::text);
    assertThat(nGenerated).hasValue(0);
    assertThat(pieces.collectList().block()).isEqualTo(pieces.collectList().block()).isNotEmpty();
    assertThat(nGenerated).hasValue(8);
  }

  @Test
  void generatesNoTokenThatNobodyAskedFor() {
    StepVerifier.create(model.stream(COUNT), 0)
        .expectSubscription()
        .thenRequest(3)
        .expectNextCount(3)
        .thenRequest(2)
        .expectNextCount(2)
        .thenCancel()
        .verify();
    assertNothingGoesOn(5);
  }

  @Test
  void stopsWithinATokenWhenTheSubscriberIsGone() {
    assertThat(model.stream(COUNT).take(5).collectList().block()).hasSize(5);
    assertNothingGoesOn(5);
  }

  /** The one session is free again only when the answer has ended, so the count is final then. */
  private void assertNothingGoesOn(int received) {
    assertThat(text(model.call(new Prompt("Hi", maxTokens(1))))).isNotEmpty();
    int perPiece = 2; // the first token of a word may come before it is known to be whole
    assertThat(nGenerated.get()).isLessThanOrEqualTo(perPiece * (received + 1) + 1);
  }

  @Test
  void whatTheModelThrowsReachesTheSubscriber() {
    try (var failing =
            ScriptedModels.scripted(prompt -> {
              throw new dev.ocellus.OcellusException("the disk is on fire");
            });
        var broken = OcellusChatModel.builder().model(failing).build()) {
      StepVerifier.create(broken.stream(new Prompt("Hi")))
          .verifyErrorMessage("the disk is on fire");
      assertThatThrownBy(() -> broken.call(new Prompt("Hi"))).hasMessage("the disk is on fire");
    }
  }

  @Test
  void closingEndsTheAnswersThatAreBeingGenerated() throws InterruptedException {
    var begun = new CountDownLatch(1);
    var ended = new CountDownLatch(1);
    model.stream(COUNT)
        .subscribe(
            new BaseSubscriber<>() {
              @Override
              protected void hookOnSubscribe(org.reactivestreams.Subscription subscription) {
                subscription.request(1); // and no more, so the answer waits
              }

              @Override
              protected void hookOnNext(ChatResponse value) {
                begun.countDown();
              }

              @Override
              protected void hookOnError(Throwable throwable) {
                ended.countDown();
              }
            });
    assertThat(begun.await(60, TimeUnit.SECONDS)).isTrue();
    model.close();
    assertThat(ended.await(60, TimeUnit.SECONDS)).isTrue();
    assertThatThrownBy(() -> model.call(COUNT)).isInstanceOf(IllegalStateException.class);
  }
}
