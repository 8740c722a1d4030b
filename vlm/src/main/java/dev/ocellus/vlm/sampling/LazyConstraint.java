package dev.ocellus.vlm.sampling;

import java.util.List;
import java.util.Set;
import java.util.function.IntFunction;
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
  private final TriggerScan scan;
  private final Set<Integer> tokens;
  private final IntFunction<byte[]> bytes;
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
    this.scan = new TriggerScan(patterns);
    this.tokens = Set.copyOf(tokens);
    this.bytes = bytes;
  }

  /** Whether the trigger has appeared. */
  public boolean isTriggered() {
    return triggered;
  }

  @Override
  public boolean allows(int token) {
    if (triggered) {
      return inner.allows(token);
    }
    if (tokens.contains(token)) {
      return inner.allows(token);
    }
    byte[] more = bytes.apply(token);
    int start = scan.find(more);
    return start < 0 || inner.allowsText(scan.from(start, more));
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
    int start = scan.find(more);
    if (start >= 0) {
      triggered = true;
      inner.acceptText(scan.from(start, more));
      return;
    }
    scan.add(more);
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
    scan.reset();
    inner.reset();
  }
}
