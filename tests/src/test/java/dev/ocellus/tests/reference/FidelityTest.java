package dev.ocellus.tests.reference;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.vlm.chat.Answer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Every model and case: pixels, embeddings, prompt, and greedy tokens equal the reference's. */
class FidelityTest {
  @TestFactory
  Stream<DynamicNode> equalsTransformers() {
    return Reference.all().stream()
        .flatMap(reference -> reference.models().stream().map(m -> container(reference, m)));
  }

  static DynamicNode container(Reference reference, String model) {
    try {
      Optional<String> why = FidelityHarness.unsupported(reference, model);
      if (why.isPresent()) {
        return notKnown(reference, model, why.get());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    PeerResults peers = PeerResults.of(reference, model);
    Stream<DynamicNode> cases =
        reference.cases(model).stream()
            .flatMap(c ->
                Stream.of(
                    DynamicTest.dynamicTest(
                        model + "/" + c.name() + " embeddings",
                        () -> compareEmbeddings(reference, model, c, peers)),
                    DynamicTest.dynamicTest(
                        model + "/" + c.name() + " tokens",
                        () -> compareTokens(reference, model, c))));
    return DynamicContainer.dynamicContainer(model, cases);
  }

  /** A failure in the repository's own data, and a test that is reported as skipped elsewhere. */
  static DynamicNode notKnown(Reference reference, String model, String why) {
    return DynamicTest.dynamicTest(
        model + " (not supported)",
        () -> {
          assertThat(reference.mustBeKnown()).as(why).isFalse();
          Assumptions.abort(why);
        });
  }

  private static void compareEmbeddings(
      Reference reference, String model, ReferenceCase c, PeerResults peers) throws IOException {
    FidelityHarness.Embeddings found = FidelityHarness.embeddings(reference, model, c);
    assertThat(found.pixels().maxError()).as("pixels").isLessThanOrEqualTo(Tolerances.PIXELS);
    Difference rows = found.rows();
    System.out.printf("%s/%s: projector.out %s%n", model, c.name(), rows);
    assertThat(rows.maxError()).as("projector.out").isLessThan(Tolerances.rows(model, rows.rms()));
    assertThat(rows.cosine()).as("cosine").isGreaterThan(Tolerances.COSINE);
    peers
        .find(c.name())
        .ifPresent(peer -> {
          assertCloser(rows, peer.normal());
          peer.resizedFirst().ifPresent(run -> assertCloser(rows, run));
        });
  }

  private static void assertCloser(Difference rows, PeerResults.Run peer) {
    peer.maxError().ifPresent(e -> assertThat(rows.maxError()).as("than mtmd").isLessThan(e));
    peer.cosine().ifPresent(e -> assertThat(rows.cosine()).as("than mtmd").isGreaterThan(e));
  }

  private static void compareTokens(Reference reference, String model, ReferenceCase c)
      throws IOException {
    Answer answer = FidelityHarness.answer(reference, model, c);
    assertThat(answer.prompt()).matches(c::isPrompt, c.prompt());
    assertThat(answer.promptTokens()).isEqualTo(c.promptTokens());
    int[] expected = c.greedy();
    assertThat(expected).as("tokens to compare").isNotEmpty();
    for (int i = 0; i < expected.length; i++) {
      if (answer.tokens()[i] != expected[i]) {
        assertThat(i).as("tokens compared before a near-tie").isPositive();
        assertThat(c.margin(i))
            .as("token %d is %d instead of %d", i, answer.tokens()[i], expected[i])
            .isLessThan(Tolerances.GREEDY_MARGIN);
        return; // what follows another token is another text
      }
    }
  }
}
