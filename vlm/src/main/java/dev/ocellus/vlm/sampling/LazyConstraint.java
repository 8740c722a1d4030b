package dev.ocellus.vlm.sampling;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.IntFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A constraint that begins to bind when a trigger appears in the answer, such as the marker of a
 * tool call. What the trigger matched is the first that the constraint gets to see.
 *
 * <p>A token may bring more than the trigger. If the constraint forbids what came with it, the
 * token is refused, so that another way to the trigger is taken.
 */
public final class LazyConstraint implements TokenConstraint {
  private final TextConstraint inner;
  private final List<Pattern> patterns;
  private final Set<Integer> tokens;
  private final IntFunction<byte[]> bytes;
  private final ByteArrayOutputStream text = new ByteArrayOutputStream();
  private boolean triggered;

  /** A constraint that can be fed with text as well as with tokens. */
  public interface TextConstraint extends TokenConstraint {
    /** Whether a text may come next. */
    boolean allowsText(byte[] utf8);

    /** Takes note of text that became part of the answer. */
    void acceptText(byte[] utf8);
  }

  /**
   * @param patterns of which one must be found in the answer so far; the constraint begins with the
   *     first group that matched something, else with the whole match
   * @param tokens that begin it too, and are then the first that the constraint gets
   * @param bytes the bytes of a token
   */
  public LazyConstraint(
      TextConstraint inner,
      List<Pattern> patterns,
      List<Integer> tokens,
      IntFunction<byte[]> bytes) {
    this.inner = inner;
    this.patterns = List.copyOf(patterns);
    this.tokens = Set.copyOf(tokens);
    this.bytes = bytes;
  }

  /** Whether the trigger has appeared. */
  public boolean isTriggered() {
    return triggered;
  }

  /** Where a trigger begins in the answer with one more token, in bytes, or −1. */
  private int find(byte[] more) {
    if (patterns.isEmpty() || more.length == 0) {
      return -1;
    }
    String before = text.toString(StandardCharsets.UTF_8);
    String utf8 = before + new String(more, StandardCharsets.UTF_8);
    for (Pattern pattern : patterns) {
      Matcher matcher = pattern.matcher(utf8);
      if (find(matcher, pattern)) {
        int start = matcher.start();
        for (int group = 1; group <= matcher.groupCount(); group++) {
          if (matcher.start(group) >= 0 && matcher.end(group) > matcher.start(group)) {
            start = matcher.start(group);
            break;
          }
        }
        return utf8.substring(0, start).getBytes(StandardCharsets.UTF_8).length;
      }
    }
    return -1;
  }

  private static boolean find(Matcher matcher, Pattern pattern) {
    try {
      return matcher.find();
    } catch (StackOverflowError e) {
      throw new IllegalArgumentException(
          "grammar trigger: the regular expression takes too much to match: " + pattern.pattern(),
          e);
    }
  }

  @Override
  public boolean allows(int token) {
    if (triggered) {
      return inner.allows(token);
    }
    if (tokens.contains(token)) {
      return inner.allows(token);
    }
    int start = find(bytes.apply(token));
    return start < 0 || inner.allowsText(from(start, bytes.apply(token)));
  }

  private byte[] from(int start, byte[] more) {
    var all = new ByteArrayOutputStream();
    all.writeBytes(text.toByteArray());
    all.writeBytes(more);
    byte[] whole = all.toByteArray();
    return Arrays.copyOfRange(whole, Math.min(start, whole.length), whole.length);
  }

  @Override
  public void mask(Candidates candidates) {
    if (triggered) {
      inner.mask(candidates);
      return;
    }
    for (int i = 0; i < candidates.size(); i++) {
      if (!allows(candidates.token(i))) {
        candidates.setLogit(i, Float.NEGATIVE_INFINITY);
      }
    }
  }

  @Override
  public void maskLoosely(Candidates candidates) {
    if (triggered) {
      inner.maskLoosely(candidates);
    } else {
      mask(candidates);
    }
  }

  @Override
  public void accept(int token) {
    if (triggered) {
      inner.accept(token);
      return;
    }
    if (tokens.contains(token)) {
      triggered = true;
      inner.accept(token);
      return;
    }
    byte[] more = bytes.apply(token);
    int start = find(more);
    if (start >= 0) {
      triggered = true;
      inner.acceptText(from(start, more));
      return;
    }
    text.writeBytes(more);
  }

  @Override
  public void setTokensLeft(int tokens) {
    inner.setTokensLeft(tokens);
  }

  @Override
  public boolean isComplete() {
    return !triggered || inner.isComplete();
  }

  @Override
  public boolean mustEnd() {
    return triggered && inner.mustEnd();
  }

  @Override
  public void reset() {
    triggered = false;
    text.reset();
    inner.reset();
  }
}
