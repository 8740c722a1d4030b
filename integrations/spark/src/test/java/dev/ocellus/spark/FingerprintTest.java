package dev.ocellus.spark;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

/** A run that goes on must not take another request's results for its own. */
class FingerprintTest {
  private static String of(Request request) {
    return request.fingerprint();
  }

  private static AnswerRequest answer(AnswerOptions options) {
    return new AnswerRequest(options, null);
  }

  @Test
  void sameRequestsHaveTheSame() {
    assertThat(of(new ClassifyRequest(List.of("a", "b"), List.of("{} c"))))
        .isEqualTo(of(new ClassifyRequest(List.of("a", "b"), List.of("{} c"))));
    assertThat(of(answer(AnswerOptions.of("What?"))))
        .isEqualTo(of(answer(AnswerOptions.of("What?"))));
    assertThat(of(new PageRequest(PageOptions.defaults())))
        .isEqualTo(of(new PageRequest(PageOptions.defaults())));
  }

  @Test
  void whereOneTextEndsCounts() {
    assertThat(of(new ClassifyRequest(List.of("a, b"), List.of())))
        .isNotEqualTo(of(new ClassifyRequest(List.of("a", "b"), List.of())));
    assertThat(of(new ClassifyRequest(List.of("a"), List.of("{}"))))
        .isNotEqualTo(of(new ClassifyRequest(List.of("a", "{}"), List.of())));
    AnswerOptions asked = AnswerOptions.of("What?");
    assertThat(of(answer(asked.withStop(List.of("a, b")))))
        .isNotEqualTo(of(answer(asked.withStop(List.of("a", "b")))));
    assertThat(of(answer(AnswerOptions.of("a, system=b"))))
        .isNotEqualTo(of(answer(AnswerOptions.of("a").withSystem("b"))));
    assertThat(of(answer(asked.withSystem("null")))).isNotEqualTo(of(answer(asked)));
  }

  @Test
  void everyOptionCounts() {
    AnswerOptions asked = AnswerOptions.of("What?");
    assertThat(
            List.of(
                of(answer(asked)),
                of(answer(asked.withJsonSchema("{}"))),
                of(answer(asked.withMaxTokens(7))),
                of(answer(asked.withTemperature(0.5f))),
                of(answer(asked.withTopK(7))),
                of(answer(asked.withTopP(0.5f))),
                of(answer(asked.withSeed(7)))))
        .doesNotHaveDuplicates();
    PageOptions pages = PageOptions.defaults();
    assertThat(
            List.of(
                of(new PageRequest(pages)),
                of(new PageRequest(pages.withMarkdown(false))),
                of(new PageRequest(pages.withPlaces(true))),
                of(new PageRequest(pages.withPrompt("Read."))),
                of(new PageRequest(pages.withMaxPages(7))),
                of(new PageRequest(pages.withMaxTokens(7))),
                of(new PageRequest(pages.withDpi(72)))))
        .doesNotHaveDuplicates();
    assertThat(of(new EmbedRequest("x"))).isNotEqualTo(of(new EmbedRequest("")));
  }
}
