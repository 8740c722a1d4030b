package dev.ocellus.springai;

import dev.ocellus.testkit.ScriptedModels;
import dev.ocellus.vlm.VisionLanguageModel;
import io.micrometer.observation.tck.TestObservationRegistry;
import io.micrometer.observation.tck.TestObservationRegistryAssert;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.springframework.ai.chat.prompt.Prompt;
import reactor.test.StepVerifier;

/** What observers are told of answers. */
class ObservationsTest {
  private static final VisionLanguageModel SCRIPTED = ScriptedModels.scripted(Answers::to);
  private static final String NAME = "gen_ai.client.operation";

  private final TestObservationRegistry registry = TestObservationRegistry.create();
  private final OcellusChatModel model = observed(SCRIPTED);

  private OcellusChatModel observed(VisionLanguageModel engine) {
    return OcellusChatModel.builder()
        .model(engine)
        .options(OcellusChatOptions.builder().model("scripted").temperature(0.0).build())
        .observationRegistry(registry)
        .build();
  }

  @AfterAll
  static void close() {
    SCRIPTED.close();
  }

  private void assertObserved(String finishReasons) {
    TestObservationRegistryAssert.assertThat(registry)
        .doesNotHaveAnyRemainingCurrentObservation()
        .hasObservationWithNameEqualTo(NAME)
        .that()
        .hasContextualNameEqualTo("chat scripted")
        .hasLowCardinalityKeyValue("gen_ai.operation.name", "chat")
        .hasLowCardinalityKeyValue("gen_ai.system", "ocellus")
        .hasLowCardinalityKeyValue("gen_ai.request.model", "scripted")
        .hasLowCardinalityKeyValue("gen_ai.response.model", "scripted")
        .hasHighCardinalityKeyValue("gen_ai.request.temperature", "0.0")
        .hasHighCardinalityKeyValue("gen_ai.response.finish_reasons", finishReasons)
        .hasHighCardinalityKeyValueWithKey("gen_ai.usage.input_tokens")
        .hasHighCardinalityKeyValueWithKey("gen_ai.usage.output_tokens")
        .hasBeenStarted()
        .hasBeenStopped();
  }

  @Test
  void ofACall() {
    model.call(new Prompt("Hi"));
    assertObserved("[\"stop\"]");
  }

  @Test
  void ofAStream() {
    model.stream(new Prompt("Hi")).blockLast();
    assertObserved("[\"stop\"]");
  }

  @Test
  void ofAStreamThatIsCancelled() {
    StepVerifier.create(model.stream(new Prompt("Count")), 1)
        .expectNextCount(1)
        .thenCancel()
        .verify();
    TestObservationRegistryAssert.assertThat(registry)
        .hasObservationWithNameEqualTo(NAME)
        .that()
        .hasBeenStopped();
  }

  @Test
  void ofAnError() {
    try (var failing =
        ScriptedModels.scripted(prompt -> {
          throw new CancellationException("no more");
        })) {
      StepVerifier.create(observed(failing).stream(new Prompt("Hi"))).verifyErrorMessage("no more");
    }
    TestObservationRegistryAssert.assertThat(registry)
        .hasObservationWithNameEqualTo(NAME)
        .that()
        .hasBeenStopped()
        .hasError();
  }
}
