package dev.ocellus.server.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TextFrameTest {
  private final TextFrame frame =
      new TextFrame(text -> Json.object().put("a", 1).put("text", text).put("\"z\\", "é\n"));

  @ParameterizedTest
  @ValueSource(
      strings = {"", "a", "\"", "\\", "\n\t\u0000\u001f", "é🙂", "</script>", "\u2028", "place-"})
  void isWhatTheTreeWouldBe(String text) {
    assertThat(frame.with(text))
        .isEqualTo(Json.write(Json.object().put("a", 1).put("text", text).put("\"z\\", "é\n")));
  }

  @Test
  void wantsAPlaceForTheText() {
    assertThatThrownBy(() -> new TextFrame(text -> Json.object()))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
