package dev.ocellus.vlm.sampling;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Looks for patterns in a text that arrives piece by piece. Places at which no match can begin any
 * more, whatever follows, are not looked at again; so a token costs what it adds, and what a match
 * that has begun may reach back to.
 */
final class TriggerScan {
  private final Pattern[] patterns;

  /** For each pattern, the first place where a match may still begin. */
  private final int[] from;

  private byte[] bytes = new byte[256];
  private int nBytes;

  /** The characters that are complete, and for each where its bytes begin. */
  private final StringBuilder text = new StringBuilder();

  private int[] byteOf = new int[256];
  private int nDecoded;

  TriggerScan(List<Pattern> patterns) {
    this.patterns = patterns.toArray(new Pattern[0]);
    this.from = new int[this.patterns.length];
  }

  /**
   * Where a trigger begins in the text with more bytes, which are not added.
   *
   * @return in bytes; −1 if there is none
   */
  int find(byte[] more) {
    if (patterns.length == 0 || more.length == 0) {
      return -1;
    }
    int nBytesBefore = nBytes;
    int nDecodedBefore = nDecoded;
    int lengthBefore = text.length();
    append(more);
    int found = find();
    nBytes = nBytesBefore;
    nDecoded = nDecodedBefore;
    text.setLength(lengthBefore);
    return found;
  }

  /** Adds bytes with which no trigger has appeared. */
  void add(byte[] more) {
    if (patterns.length > 0) {
      append(more);
      forget();
    }
  }

  /** The bytes from a place on, with more behind them. */
  byte[] from(int start, byte[] more) {
    byte[] whole = Arrays.copyOf(bytes, nBytes + more.length);
    System.arraycopy(more, 0, whole, nBytes, more.length);
    return Arrays.copyOfRange(whole, Math.min(start, whole.length), whole.length);
  }

  void reset() {
    nBytes = 0;
    nDecoded = 0;
    text.setLength(0);
    Arrays.fill(from, 0);
  }

  /** Characters that are looked at again with the next token, by the pattern that needs most. */
  int lookedAtAgain() {
    return text.length() - Arrays.stream(from).min().orElse(text.length());
  }

  private void append(byte[] more) {
    if (nBytes + more.length > bytes.length) {
      bytes = Arrays.copyOf(bytes, 2 * (nBytes + more.length));
    }
    System.arraycopy(more, 0, bytes, nBytes, more.length);
    nBytes += more.length;
    while (nDecoded < nBytes) {
      int length = length(bytes[nDecoded] & 0xFF);
      if (nDecoded + length > nBytes) {
        return; // the rest of the character is still to come
      }
      String character = new String(bytes, nDecoded, length, StandardCharsets.UTF_8);
      if (text.length() + character.length() > byteOf.length) {
        byteOf = Arrays.copyOf(byteOf, 2 * byteOf.length);
      }
      for (int i = 0; i < character.length(); i++) {
        byteOf[text.length() + i] = nDecoded;
      }
      text.append(character);
      nDecoded += length;
    }
  }

  /** Bytes of a character by its first one; 1 for what begins none. */
  private static int length(int first) {
    return first < 0xC2 || first > 0xF4 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  }

  private int find() {
    for (int i = 0; i < patterns.length; i++) {
      Matcher matcher = matcher(i, from[i]);
      if (guarded(i, matcher::find)) {
        return byteOf(start(matcher));
      }
    }
    return -1;
  }

  private int byteOf(int character) {
    return character < text.length() ? byteOf[character] : nDecoded;
  }

  /** Moves on to the first place from where a match would need to see more. */
  private void forget() {
    for (int i = 0; i < patterns.length; i++) {
      Matcher matcher = matcher(i, from[i]);
      boolean over = false;
      while (from[i] < text.length() && !over) {
        matcher.region(from[i], text.length());
        guarded(i, matcher::lookingAt);
        over = matcher.hitEnd();
        from[i] += over ? 0 : 1;
      }
    }
  }

  /** What lies before the region is seen by looking behind, and is no beginning of the text. */
  private Matcher matcher(int pattern, int start) {
    return patterns[pattern]
        .matcher(text)
        .useTransparentBounds(true)
        .useAnchoringBounds(false)
        .region(start, text.length());
  }

  /** The beginning of the first group that matched something, else of the whole match. */
  private static int start(Matcher matcher) {
    for (int group = 1; group <= matcher.groupCount(); group++) {
      if (matcher.end(group) > matcher.start(group)) {
        return matcher.start(group);
      }
    }
    return matcher.start();
  }

  private interface Attempt {
    boolean run();
  }

  private boolean guarded(int pattern, Attempt attempt) {
    try {
      return attempt.run();
    } catch (StackOverflowError e) {
      throw new IllegalArgumentException(
          "grammar trigger: the regular expression takes too much to match: " + patterns[pattern],
          e);
    }
  }
}
