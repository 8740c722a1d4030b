package dev.ocellus.vlm.decode;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.vlm.vision.EncodedImage;
import dev.ocellus.vlm.vision.ImagePiece;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What is kept of conversations whose sequences go on to others, and who finds it again. */
class PrefixSharingTest {
  /** Sequences 0 and 1 answer, 2 and 3 are spare. */
  private static final int LIVE = 2;

  private static final int SPARE = 2;
  private static final int ROWS = 10;
  private static final CancellationFlag NEVER = new CancellationFlag();
  private static final int MAX_PLACES = 400;

  private final Cells cells = new Cells();
  private final PrefixSharing sharing =
      new PrefixSharing(cells, new KeptPrefixes(cells, LIVE, SPARE, MAX_PLACES));

  /** How many positions stand in each sequence. */
  private static final class Cells implements SharedCells {
    private final Map<Integer, Integer> ends = new ConcurrentHashMap<>();

    /** Positions before this one are gone. */
    private int windowBegins;

    int end(int sequence) {
      return ends.getOrDefault(sequence, 0);
    }

    @Override
    public void share(int from, int to, int position) {
      assertThat(end(to)).as("sequence %d holds nothing", to).isZero();
      assertThat(end(from)).isGreaterThanOrEqualTo(position);
      ends.put(to, position);
    }

    @Override
    public boolean removeFrom(int sequence, int position) {
      ends.put(sequence, Math.min(end(sequence), position));
      return true;
    }

    @Override
    public boolean hasPositionsBefore(int sequence, int position) {
      return position >= windowBegins;
    }

    @Override
    public <T> T together(Supplier<T> work) {
      return work.get();
    }
  }

  private static List<ContextEntry> text(int from, int n) {
    return IntStream.range(from, from + n).<ContextEntry>mapToObj(ContextEntry.Token::new).toList();
  }

  private static ContextEntry image(String key) {
    return image(key, ROWS);
  }

  private static ContextEntry image(String key, int nRows) {
    var rows = ImagePiece.Embeddings.of(nRows);
    var image = new EncodedImage(new float[2 * nRows], nRows, 2, List.of(rows));
    return new ContextEntry.Image(key, image, 0, rows);
  }

  @SafeVarargs
  private static List<ContextEntry> all(List<ContextEntry>... parts) {
    List<ContextEntry> all = new ArrayList<>();
    List.of(parts).forEach(all::addAll);
    return all;
  }

  /** A system prompt, an image, a question. */
  private static List<ContextEntry> about(String key, int question) {
    return all(text(0, 5), List.of(image(key)), text(100 * question, 6));
  }

  /** A sequence goes on to a conversation, as it does for a session; gives what it found. */
  private int turn(int sequence, List<ContextEntry> present, List<ContextEntry> wanted) {
    int have = ContextEntry.common(present, wanted);
    int taken = sharing.take(sequence, present, wanted, have, NEVER);
    int found = taken > 0 ? taken : have;
    int end = ContextEntry.positionsOf(wanted.subList(0, found));
    if (taken == 0) {
      sharing.withdraw(sequence, end);
      cells.removeFrom(sequence, end);
    }
    assertThat(cells.end(sequence)).isEqualTo(end);
    cells.ends.put(sequence, ContextEntry.positionsOf(wanted));
    sharing.offer(sequence, wanted);
    sharing.end(sequence);
    return found;
  }

  private int start(int sequence, List<ContextEntry> wanted) {
    return turn(sequence, List.of(), wanted);
  }

  @Test
  void keepsWhatComesBeforeTheAnswerToAnImage() {
    start(0, about("a", 1));
    turn(0, about("a", 1), text(50, 20));
    assertThat(sharing.use()).isEqualTo(new KeptUse(1, 5 + ROWS));
    assertThat(turn(0, text(50, 20), about("a", 2))).isEqualTo(6);
    assertThat(turn(0, about("a", 2), about("a", 3))).isEqualTo(6);
    assertThat(sharing.use().prefixes()).isEqualTo(1);
  }

  @Test
  void keepsNothingThatStaysElsewhere() {
    start(0, about("a", 1));
    assertThat(start(1, about("a", 2))).isEqualTo(6);
    turn(0, about("a", 1), text(50, 20));
    assertThat(sharing.use()).isEqualTo(KeptUse.NONE);
    turn(1, about("a", 2), text(70, 20)); // now it would be lost
    assertThat(sharing.use().prefixes()).isEqualTo(1);
    assertThat(turn(1, text(70, 20), about("a", 4))).isEqualTo(6);
  }

  @Test
  void keepsLongTextsWholeAndShortOnesNot() {
    List<ContextEntry> shortText = text(0, KeptPrefixes.LONG_TEXT - 1);
    List<ContextEntry> longText = text(5, KeptPrefixes.LONG_TEXT);
    start(0, shortText);
    turn(0, shortText, text(1000, 3));
    assertThat(sharing.use()).isEqualTo(KeptUse.NONE);
    turn(0, text(1000, 3), longText);
    turn(0, longText, text(1000, 3));
    assertThat(sharing.use()).isEqualTo(new KeptUse(1, KeptPrefixes.LONG_TEXT));
    List<ContextEntry> goesOn = all(longText, text(2000, 4));
    assertThat(turn(0, text(1000, 3), goesOn)).isEqualTo(KeptPrefixes.LONG_TEXT);
  }

  @Test
  void keepsThroughTheImageOfWhatIsTooLongAsAWhole() {
    List<ContextEntry> tooLong = all(about("a", 1), text(3000, MAX_PLACES));
    start(0, tooLong);
    turn(0, tooLong, text(50, 3));
    assertThat(sharing.use()).isEqualTo(new KeptUse(1, 5 + ROWS));
    List<ContextEntry> manyRows = all(text(0, MAX_PLACES), List.of(image("b")), text(7, 3));
    turn(0, text(50, 3), manyRows);
    turn(0, manyRows, text(50, 3));
    assertThat(sharing.use().prefixes()).isEqualTo(1);
  }

  @Test
  void letsGoOfWhatWasUsedLongestAgo() {
    start(0, about("a", 1));
    turn(0, about("a", 1), about("b", 1));
    turn(0, about("b", 1), text(50, 2));
    assertThat(turn(0, text(50, 2), about("a", 2))).isEqualTo(6); // used now
    turn(0, about("a", 2), about("c", 1));
    turn(0, about("c", 1), text(50, 2));
    assertThat(sharing.use().prefixes()).isEqualTo(SPARE);
    assertThat(turn(0, text(50, 2), about("a", 3))).isEqualTo(6);
    assertThat(turn(0, about("a", 3), about("b", 2))).isEqualTo(5); // the system prompt only
  }

  @Test
  void staysWithinItsPlaces() {
    List<ContextEntry> first = text(0, 250 + 10);
    List<ContextEntry> second = text(5000, 250 + 20);
    start(0, first);
    turn(0, first, second);
    assertThat(sharing.use()).isEqualTo(new KeptUse(1, 260));
    turn(0, second, text(1, 2));
    assertThat(sharing.use()).isEqualTo(new KeptUse(1, 270));
    assertThat(turn(0, text(1, 2), first)).isZero();
  }

  @Test
  void whatGoesOnReplacesItsBeginning() {
    List<ContextEntry> more = all(about("a", 1), List.of(image("b")), text(900, 3));
    start(0, about("a", 1));
    turn(0, about("a", 1), text(50, 2));
    turn(0, text(50, 2), more);
    turn(0, more, text(50, 2));
    assertThat(sharing.use()).isEqualTo(new KeptUse(1, 5 + ROWS + 6 + ROWS));
    assertThat(turn(0, text(50, 2), about("a", 7))).isEqualTo(6); // a part of it will do
  }

  @Test
  void givesUpEverythingForWhoeverNeedsTheCells() {
    start(0, about("a", 1));
    turn(0, about("a", 1), about("b", 1));
    turn(0, about("b", 1), text(50, 2));
    assertThat(sharing.makeRoom()).isTrue();
    assertThat(sharing.makeRoom()).isTrue();
    assertThat(sharing.makeRoom()).isFalse();
    assertThat(sharing.use()).isEqualTo(KeptUse.NONE);
    assertThat(cells.end(LIVE)).isZero();
    assertThat(cells.end(LIVE + 1)).isZero();
    assertThat(turn(0, text(50, 2), about("a", 2))).isZero();
    turn(0, about("a", 2), text(50, 2)); // and goes on
    assertThat(sharing.use().prefixes()).isEqualTo(1);
    sharing.restoring(0);
    assertThat(sharing.use()).isEqualTo(KeptUse.NONE);
  }

  @Test
  void keepsAndFindsNothingThatAWindowHasGivenAway() {
    cells.windowBegins = 100;
    start(0, about("a", 1));
    turn(0, about("a", 1), text(50, 20));
    assertThat(sharing.use()).isEqualTo(KeptUse.NONE);
    cells.windowBegins = 0;
    turn(0, text(50, 20), about("b", 1));
    turn(0, about("b", 1), text(50, 20));
    cells.windowBegins = 100;
    assertThat(turn(0, text(50, 20), about("b", 2))).isZero();
  }

  @Test
  void holdsNoRowsOfImages() {
    var kept = new KeptPrefixes(cells, LIVE, SPARE, MAX_PLACES);
    cells.ends.put(0, 100);
    kept.keep(0, about("a", 1), 0);
    KeptPrefixes.Prefix found = kept.find(about("a", 2), 0);
    assertThat(found).isNotNull();
    for (ContextEntry entry : found.entries()) {
      if (entry instanceof ContextEntry.Image image) {
        assertThat(image.image().values()).isEmpty();
        assertThat(image.sameAs(image("a"))).isTrue();
      }
    }
  }

  /** Sequence 0 computes a prompt; whoever wants its beginning takes over what comes of it. */
  @Test
  void waitsForWhatAnotherOneIsComputing() throws Exception {
    List<ContextEntry> first = all(text(0, 5), List.of(image("a", 40)), text(100, 6));
    List<ContextEntry> second = all(text(0, 5), List.of(image("a", 40)), text(200, 6));
    assertThat(sharing.take(0, List.of(), first, 0, NEVER)).isZero();
    cells.removeFrom(0, 0);
    CompletableFuture<Integer> other =
        CompletableFuture.supplyAsync(() -> sharing.take(1, List.of(), second, 0, NEVER));
    cells.ends.put(0, 5);
    sharing.offer(0, first.subList(0, 5)); // not yet what is worth the wait
    cells.ends.put(0, 45);
    sharing.offer(0, first.subList(0, 6));
    assertThat(other.get()).isEqualTo(6);
    assertThat(cells.end(1)).isEqualTo(45);
  }

  @Test
  void goesOnByItselfWhenAnotherOneGivesUp() throws Exception {
    List<ContextEntry> long1 = all(text(0, 100), text(1000, 5));
    List<ContextEntry> long2 = all(text(0, 100), text(2000, 5));
    sharing.take(0, List.of(), long1, 0, NEVER);
    CompletableFuture<Integer> other =
        CompletableFuture.supplyAsync(() -> sharing.take(1, List.of(), long2, 0, NEVER));
    sharing.end(0);
    assertThat(other.get()).isZero();
  }

  @Test
  void waitsNoLongerThanItsCallerWants() throws Exception {
    var flag = new CancellationFlag();
    sharing.take(0, List.of(), text(0, 100), 0, NEVER);
    CompletableFuture<Integer> other =
        CompletableFuture.supplyAsync(() -> sharing.take(1, List.of(), text(0, 101), 0, flag));
    flag.cancel();
    assertThat(other.get()).isZero();
  }

  /** A listener may ask another session while its own prompt is being computed. */
  @Test
  void waitsNotForItself() {
    sharing.take(0, List.of(), text(0, 100), 0, NEVER);
    assertThat(sharing.take(1, List.of(), text(0, 101), 0, NEVER)).isZero();
  }

  /** A short beginning of a long prompt is computed faster than that. */
  @Test
  void waitsNotForWhatCostsLess() throws Exception {
    List<ContextEntry> large = all(text(0, 50), text(1000, 500));
    List<ContextEntry> small = all(text(0, 50), text(7000, 5));
    sharing.take(0, List.of(), large, 0, NEVER);
    CompletableFuture<Integer> other =
        CompletableFuture.supplyAsync(() -> sharing.take(1, List.of(), small, 0, NEVER));
    assertThat(other.get()).isZero();
  }

  @Test
  void keepsNothingWithoutSpareSequences() {
    var none = new PrefixSharing(cells, new KeptPrefixes(cells, LIVE, 0, MAX_PLACES));
    cells.ends.put(0, 100);
    none.take(0, about("a", 1), text(50, 5), 0, NEVER);
    assertThat(none.use()).isEqualTo(KeptUse.NONE);
    assertThat(none.makeRoom()).isFalse();
  }
}
