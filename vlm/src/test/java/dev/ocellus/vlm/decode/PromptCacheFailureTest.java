package dev.ocellus.vlm.decode;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.vision.EncodedImage;
import dev.ocellus.vlm.vision.ImagePiece;
import dev.ocellus.vlm.vision.PromptAttention;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whatever fails, and wherever: what is said to stand in a sequence does stand there. */
class PromptCacheFailureTest {
  private static final int MAX_CALLS = 40;

  private final CancellationFlag flag = new CancellationFlag();

  private static ContextEntry token(int id) {
    return new ContextEntry.Token(id);
  }

  private static ContextEntry image(String key, int nRows, float first) {
    float[] rows = new float[nRows];
    IntStream.range(0, nRows).forEach(i -> rows[i] = first + i);
    ImagePiece.Embeddings layout = ImagePiece.Embeddings.of(nRows);
    return new ContextEntry.Image(
        key, new EncodedImage(rows, nRows, 1, List.of(layout)), 0, layout);
  }

  private static List<ContextEntry> prompt(int question) {
    List<ContextEntry> entries = new ArrayList<>();
    IntStream.range(0, 6).forEach(i -> entries.add(token(i)));
    entries.add(image("a", 10, 0.5f));
    entries.add(token(question));
    entries.add(image("b" + question, 5, 100.5f + question));
    entries.add(token(9));
    return entries;
  }

  private static List<Object> places(List<ContextEntry> entries) {
    List<Object> places = new ArrayList<>();
    for (ContextEntry entry : entries) {
      switch (entry) {
        case ContextEntry.Token(int id) -> places.add(id);
        case ContextEntry.Image image -> {
          for (float row : image.image().values()) {
            places.add(row);
          }
        }
      }
    }
    return places;
  }

  /** A turn, another one that begins as it did, and draft tokens of which some are rejected. */
  private void converse(PromptCache cache, int question) {
    cache.fill(prompt(question), flag, AnswerListener.NONE);
    cache.append(21, new int[] {22, 23}, flag);
    cache.dropTokens(1);
    cache.append(24, new int[0], flag);
  }

  @ParameterizedTest
  @CsvSource({"1, false", "1, true", "2, false", "2, true", "3, true"})
  void goesOnAfterErrors(int times, boolean afterwards) {
    assertGoesOn(times, afterwards, OutOfMemoryError::new);
  }

  @ParameterizedTest
  @CsvSource({"1, false", "1, true", "2, false", "2, true", "3, true"})
  void goesOnAfterExceptions(int times, boolean afterwards) {
    assertGoesOn(times, afterwards, IllegalStateException::new);
  }

  private void assertGoesOn(int times, boolean afterwards, Supplier<Throwable> failure) {
    assertGoesOn(times, afterwards, failure, false);
    assertGoesOn(times, afterwards, failure, true);
  }

  private void assertGoesOn(
      int times, boolean afterwards, Supplier<Throwable> failure, boolean recurrent) {
    int call = 0;
    boolean reached = true;
    for (; reached; call++) {
      var sequence = new RecordingSequence(recurrent);
      var cache =
          new PromptCache(sequence, 1, PromptAttention.CAUSAL, 3, id -> id == 9 || id >= 50);
      converse(cache, 50);
      sequence.failAt(call, times, afterwards, failure);
      Throwable thrown = catchThrowable(() -> converse(cache, 60));
      reached = !sequence.isArmed();
      assertThat(thrown != null).as("call %d", call).isEqualTo(reached);
      sequence.disarm();
      converse(cache, 70);
      List<Object> expected = places(prompt(70));
      expected.addAll(List.of(21, 22, 24));
      assertThat(sequence.places()).as("after call %d", call).isEqualTo(expected);
      assertThat(places(cache.present())).isEqualTo(expected);
      assertThat(cache.used()).isEqualTo(expected.size());
      assertThat(call).isLessThan(MAX_CALLS);
    }
    assertThat(call).as("calls that can fail").isGreaterThan(8);
  }
}
