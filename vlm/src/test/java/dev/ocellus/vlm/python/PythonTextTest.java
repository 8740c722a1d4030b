package dev.ocellus.vlm.python;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** White space is what Python's {@code str.isspace} says it is. */
class PythonTextTest {
  /** What Python 3.11 gave for all characters. */
  private static final String SPACES =
      "\t\n\u000b\f\r\u001c\u001d\u001e\u001f \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005"
          + "\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000";

  @Test
  void knowsTheSameSpaces() {
    assertThat(
            IntStream.range(0, 0x110000)
                .filter(PythonText::isSpace)
                .mapToObj(Character::toString)
                .toList())
        .containsExactly(SPACES.split(""));
  }

  @Test
  void stripsBothEnds() {
    assertThat(PythonText.strip(SPACES + "a" + SPACES + "b" + SPACES))
        .isEqualTo("a" + SPACES + "b");
    assertThat(PythonText.strip(SPACES)).isEmpty();
    assertThat(PythonText.strip("")).isEmpty();
    assertThat(PythonText.strip("\u200b a")).isEqualTo("\u200b a");
  }
}
