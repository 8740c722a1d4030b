package dev.ocellus.vlm.text;

import static java.nio.charset.StandardCharsets.UTF_16BE;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Objects;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class Utf8StreamTest {
  @Test
  void holdsAnIncompleteCharacterBack() {
    Utf8Stream stream = new Utf8Stream();
    byte[] smile = "😀".getBytes(UTF_8);
    assertThat(stream.accept(smile, 0, 3)).isEmpty();
    assertThat(stream.isIncomplete()).isTrue();
    assertThat(stream.accept(smile, 3, 1)).isEqualTo("😀");
    assertThat(stream.isIncomplete()).isFalse();
    assertThat(stream.finish()).isEmpty();
  }

  @Test
  void finishReplacesAnIncompleteCharacterOnce() {
    Utf8Stream stream = new Utf8Stream();
    assertThat(stream.accept(new byte[] {'a', (byte) 0xF0, (byte) 0x9F, (byte) 0x98}))
        .isEqualTo("a");
    assertThat(stream.finish()).isEqualTo("\uFFFD");
    assertThat(stream.finish()).isEmpty();
    assertThat(stream.accept(new byte[] {'b'})).isEqualTo("b");
  }

  @Test
  void replacesInvalidBytesAsPythonDoes() throws IOException {
    HexFormat hex = HexFormat.of();
    int lines = 0;
    try (InputStream in =
        Objects.requireNonNull(getClass().getResourceAsStream("python-utf8-replace.txt"))) {
      for (String line : new String(in.readAllBytes(), UTF_8).split("\n", -1)) {
        if (line.isEmpty()) {
          continue;
        }
        int space = line.indexOf(' ');
        byte[] bytes = hex.parseHex(line.substring(0, space));
        String expected = new String(hex.parseHex(line.substring(space + 1)), UTF_16BE);
        assertThat(decode(bytes, bytes.length)).as(line).isEqualTo(expected);
        assertThat(decode(bytes, 1)).as(line).isEqualTo(expected);
        lines++;
      }
    }
    assertThat(lines).isEqualTo(300);
  }

  @Test
  void decodesEveryCodePointByteByByte() {
    Utf8Stream stream = new Utf8Stream();
    for (int c = 0; c <= Character.MAX_CODE_POINT; c++) {
      if (c == Character.MIN_SURROGATE) {
        c = Character.MAX_SURROGATE + 1;
      }
      String expected = Character.toString(c);
      byte[] bytes = expected.getBytes(UTF_8);
      for (int i = 0; i < bytes.length - 1; i++) {
        assertThat(stream.accept(bytes, i, 1).isEmpty()).isTrue();
      }
      String last = stream.accept(bytes, bytes.length - 1, 1);
      if (!last.equals(expected)) {
        throw new AssertionError("U+%04X became %s".formatted(c, last));
      }
    }
  }

  @Test
  void agreesWithJavaOnAllShortSequencesButSurrogates() {
    byte[] bytes = new byte[3];
    for (int a = 0x7F; a <= 0xFF; a++) {
      for (int b = 0; b <= 0xFF; b++) {
        if (a == 0xED && b >= 0xA0 && b <= 0xBF) {
          continue; // an encoded surrogate: three U+FFFD here, one in Java
        }
        for (int c = 0x7F; c <= 0xFF; c += 3) {
          bytes[0] = (byte) a;
          bytes[1] = (byte) b;
          bytes[2] = (byte) c;
          if (b == 0xED && c >= 0xA0 && c <= 0xBF) {
            continue;
          }
          String expected = new String(bytes, UTF_8);
          if (!decode(bytes, 3).equals(expected)) {
            throw new AssertionError(HexFormat.of().formatHex(bytes));
          }
        }
      }
    }
  }

  @Test
  void cutsNeverChangeTheTextAndNeverSplitAPair() {
    SplittableRandom random = new SplittableRandom(3);
    for (int n = 0; n < 3000; n++) {
      byte[] bytes = randomBytes(random);
      String whole = decode(bytes, Math.max(1, bytes.length));
      Utf8Stream stream = new Utf8Stream();
      StringBuilder text = new StringBuilder();
      for (int at = 0; at < bytes.length; ) {
        int length = Math.min(bytes.length - at, random.nextInt(0, 5));
        String chunk = stream.accept(bytes, at, length);
        assertThat(chunk.chars().filter(c -> Character.isHighSurrogate((char) c)).count())
            .isEqualTo(chunk.chars().filter(c -> Character.isLowSurrogate((char) c)).count());
        assertThat(!chunk.isEmpty() && Character.isLowSurrogate(chunk.charAt(0))).isFalse();
        text.append(chunk);
        at += length;
      }
      assertThat(text.append(stream.finish()).toString()).isEqualTo(whole);
    }
  }

  private static String decode(byte[] bytes, int step) {
    Utf8Stream stream = new Utf8Stream();
    StringBuilder text = new StringBuilder();
    for (int at = 0; at < bytes.length; at += step) {
      text.append(stream.accept(bytes, at, Math.min(step, bytes.length - at)));
    }
    return text.append(stream.finish()).toString();
  }

  /** Valid characters of all lengths, with some bytes changed. */
  private static byte[] randomBytes(SplittableRandom random) {
    StringBuilder text = new StringBuilder();
    for (int i = random.nextInt(20); i > 0; i--) {
      text.appendCodePoint("aé€😀".codePoints().toArray()[random.nextInt(4)]);
    }
    byte[] bytes = text.toString().getBytes(UTF_8);
    for (int i = random.nextInt(3); i > 0 && bytes.length > 0; i--) {
      bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
    }
    return Arrays.copyOf(bytes, random.nextInt(bytes.length + 1));
  }
}
