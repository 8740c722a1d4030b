package dev.ocellus.vlm.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.ocellus.vlm.text.StopStrings.Result;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class StopStringsTest {
  @Test
  void findsAStopAcrossChunksAndGivesTheTextBefore() {
    StopStrings stops = new StopStrings(List.of("</s>", "User:"));
    assertThat(stops.accept("Hi</")).isEqualTo(new Result("Hi", null));
    assertThat(stops.accept("b></")).isEqualTo(new Result("</b>", null));
    assertThat(stops.accept("s> more")).isEqualTo(new Result("", "</s>"));
    assertThat(stops.finish()).isEmpty();
  }

  @Test
  void holdsBackOnlyWhatMayBeginAStop() {
    StopStrings stops = new StopStrings(List.of("aab"));
    assertThat(stops.accept("xaaa")).isEqualTo(new Result("xa", null));
    assertThat(stops.accept("c")).isEqualTo(new Result("aac", null));
    assertThat(stops.accept("a")).isEqualTo(new Result("", null));
    assertThat(stops.finish()).isEqualTo("a");
    assertThat(stops.accept("ab")).isEqualTo(new Result("ab", null));
  }

  @Test
  void theFirstToBeCompleteWinsAndThenTheLongest() {
    assertThat(new StopStrings(List.of("abcd", "bc")).accept("abcd"))
        .isEqualTo(new Result("a", "bc"));
    assertThat(new StopStrings(List.of("c", "abc", "bc")).accept("xabc"))
        .isEqualTo(new Result("x", "abc"));
  }

  @Test
  void refusesMoreTextAfterAStopUntilReset() {
    StopStrings stops = new StopStrings(List.of("."));
    assertThat(stops.accept("a.b").stopped()).isTrue();
    assertThatIllegalStateException()
        .isThrownBy(() -> stops.accept("c"))
        .withMessageContaining("reset");
    stops.reset();
    assertThat(stops.accept("c")).isEqualTo(new Result("c", null));
  }

  @Test
  void refusesEmptyAndIllFormedStops() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new StopStrings(List.of("a", "")))
        .withMessageContaining("empty");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new StopStrings(List.of("\uDE00")))
        .withMessageContaining("surrogate");
  }

  @Test
  void withoutStopsAllPasses() {
    StopStrings stops = new StopStrings(List.of());
    assertThat(stops.accept("text")).isEqualTo(new Result("text", null));
    assertThat(stops.finish()).isEmpty();
  }

  @Test
  void neverSplitsASurrogatePair() {
    StopStrings stops = new StopStrings(List.of("😀x"));
    assertThat(stops.accept("a😁😀")).isEqualTo(new Result("a😁", null)); // the two share a half
    assertThat(stops.accept("y")).isEqualTo(new Result("😀y", null));
  }

  @Test
  void agreesWithASearchInTheWholeText() {
    SplittableRandom random = new SplittableRandom(9);
    for (int n = 0; n < 5000; n++) {
      List<String> wanted =
          IntStream.range(0, random.nextInt(1, 5)).mapToObj(i -> letters(random, 1, 5)).toList();
      String text = letters(random, 0, 25);
      check(wanted, text, random);
    }
  }

  private static void check(List<String> wanted, String text, SplittableRandom random) {
    int end = Integer.MAX_VALUE;
    String stop = null;
    for (String candidate : wanted) {
      int at = text.indexOf(candidate);
      int candidateEnd = at + candidate.length();
      boolean longer = stop == null || candidate.length() > stop.length();
      if (at >= 0 && (candidateEnd < end || (candidateEnd == end && longer))) {
        end = candidateEnd;
        stop = candidate;
      }
    }
    String before = stop == null ? text : text.substring(0, end - stop.length());
    StopStrings stops = new StopStrings(wanted);
    StringBuilder passed = new StringBuilder();
    @Nullable String found = null;
    for (int at = 0; at < text.length() && found == null; ) {
      int length = Math.min(text.length() - at, random.nextInt(1, 6));
      Result result = stops.accept(text.substring(at, at + length));
      passed.append(result.text());
      found = result.stop();
      at += length;
      if (found == null) {
        assertThat(passed.length()).isEqualTo(at - heldBack(wanted, text.substring(0, at)));
      }
    }
    passed.append(stops.finish());
    assertThat(passed.toString()).as("%s in %s", wanted, text).isEqualTo(before);
    assertThat(found).as("%s in %s", wanted, text).isEqualTo(stop);
  }

  private static int heldBack(List<String> wanted, String text) {
    int longest = 0;
    for (String stop : wanted) {
      for (int n = 1; n < stop.length() && n <= text.length(); n++) {
        if (text.endsWith(stop.substring(0, n))) {
          longest = Math.max(longest, n);
        }
      }
    }
    return longest;
  }

  private static String letters(SplittableRandom random, int min, int bound) {
    StringBuilder text = new StringBuilder();
    for (int i = random.nextInt(min, bound); i > 0; i--) {
      text.append((char) ('a' + random.nextInt(3)));
    }
    return text.toString();
  }

  @Test
  void takesManyStopsAndALongTextInLinearTime() {
    List<String> many = new ArrayList<>();
    for (int i = 0; i < 2000; i++) {
      many.add("a".repeat(200) + i);
    }
    StopStrings stops = new StopStrings(many);
    String text = "a".repeat(500_000);
    assertThat(stops.accept(text).text()).hasSize(text.length() - 200);
    assertThat(stops.accept("1999").stop()).isEqualTo("a".repeat(200) + "1");
  }
}
