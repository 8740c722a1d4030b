package dev.ocellus.vlm.sampling;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The token sequences at which DRY forgets what was before: the ways in which strings such as a
 * line feed or a quote can come about in tokens.
 */
public final class DryBreakers {
  private static final int MAX_BYTES = 40;
  private static final int MAX_TAIL = 20;

  /** For the first token of a sequence, what may follow it. */
  private final Map<Integer, List<int[]>> tails = new HashMap<>();

  private DryBreakers() {}

  /** No breakers: any repetition counts. */
  public static DryBreakers none() {
    return new DryBreakers();
  }

  /** Breakers given as tokens; none may be empty. */
  public static DryBreakers ofTokens(List<int[]> sequences) {
    DryBreakers breakers = new DryBreakers();
    for (int[] sequence : sequences) {
      if (sequence.length == 0) {
        throw new IllegalArgumentException("sequences: expected tokens, found an empty sequence");
      }
      breakers.add(sequence[0], Arrays.copyOfRange(sequence, 1, sequence.length));
    }
    return breakers;
  }

  /**
   * Finds the sequences for some texts by looking through the whole vocabulary: tokens that contain
   * a text, and tokens that end with its beginning, followed by the tokens of the rest. As in
   * llama.cpp, the first 40 bytes of a text and the first 20 tokens of a rest count.
   */
  public static DryBreakers ofTexts(List<String> texts, TokenVocabulary vocabulary) {
    List<byte[]> wanted = new ArrayList<>();
    for (String text : texts) {
      if (text.isEmpty()) {
        throw new IllegalArgumentException(
            "drySequenceBreakers: expected non-empty strings, found an empty one");
      }
      byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
      wanted.add(Arrays.copyOf(bytes, Math.min(bytes.length, MAX_BYTES)));
    }
    DryBreakers breakers = new DryBreakers();
    int size = wanted.isEmpty() ? 0 : vocabulary.size();
    for (int token = 0; token < size; token++) {
      byte[] word = vocabulary.bytes(token);
      for (byte[] text : wanted) {
        breakers.addOverlaps(token, word, text, vocabulary);
      }
    }
    return breakers;
  }

  private void addOverlaps(int token, byte[] word, byte[] text, TokenVocabulary vocabulary) {
    List<int[]> rests = new ArrayList<>();
    for (int at = 0; at < word.length; at++) {
      int length = Math.min(text.length, word.length - at);
      if (!Arrays.equals(word, at, at + length, text, 0, length)) {
        continue;
      }
      if (length == text.length) {
        add(token, new int[0]);
        return;
      }
      int[] rest = vocabulary.tokenize(Arrays.copyOfRange(text, length, text.length));
      rests.add(Arrays.copyOf(rest, Math.min(rest.length, MAX_TAIL)));
    }
    rests.forEach(rest -> add(token, rest));
  }

  private void add(int head, int[] tail) {
    List<int[]> known = tails.computeIfAbsent(SamplingChecks.token(head), h -> new ArrayList<>());
    if (known.stream().noneMatch(other -> Arrays.equals(other, tail))) {
      known.add(tail);
    }
  }

  /** Whether a token is a breaker by itself. */
  boolean isBreaker(int token) {
    return tails(token).anyMatch(tail -> tail.length == 0);
  }

  /**
   * The number of tokens after the latest breaker, or all if there is none.
   *
   * @param latestFirst the history, backwards
   */
  int sinceLatest(int[] latestFirst) {
    for (int age = 0; age < latestFirst.length; age++) {
      int start = age;
      int longest =
          tails(latestFirst[age])
              .filter(tail -> follows(tail, latestFirst, start))
              .mapToInt(tail -> tail.length)
              .max()
              .orElse(-1);
      if (longest >= 0) {
        return age - longest;
      }
    }
    return latestFirst.length;
  }

  private static boolean follows(int[] tail, int[] latestFirst, int age) {
    if (tail.length > age) {
      return false;
    }
    for (int i = 0; i < tail.length; i++) {
      if (tail[i] != latestFirst[age - i - 1]) {
        return false;
      }
    }
    return true;
  }

  private Stream<int[]> tails(int head) {
    return tails.getOrDefault(head, List.of()).stream();
  }
}
