package dev.ocellus.vlm.template.runtime;

import dev.ocellus.vlm.template.text.TextBuilder;
import dev.ocellus.vlm.template.text.TracedText;
import java.time.LocalDateTime;
import java.time.ZoneId;
import org.jspecify.annotations.Nullable;

/** The state of one rendering: what it has cost so far, where it is, what time it is. */
public final class Evaluation {
  /** What a rendering may cost; see {@code TemplateLimits}. */
  public record Limits(long maxSteps, int maxDepth, int maxLength, long maxAllocation) {}

  private final Builtins builtins;
  private final Limits limits;
  private @Nullable LocalDateTime now;
  private long steps;
  private long allocated;
  private int depth;
  private boolean autoescape;
  private int position;

  public Evaluation(Builtins builtins, Limits limits, @Nullable LocalDateTime now) {
    this.builtins = builtins;
    this.limits = limits;
    this.now = now;
  }

  /** The filters, tests and methods that the template can use. */
  public Builtins builtins() {
    return builtins;
  }

  /** The given time, or the machine's, asked once; its time zone takes long to load. */
  public LocalDateTime now() {
    LocalDateTime known = now;
    if (known == null) {
      known = LocalDateTime.now(ZoneId.systemDefault());
      now = known;
    }
    return known;
  }

  /** Where in the source the evaluation is: an offset, for messages. */
  public int position() {
    return position;
  }

  public void at(int sourcePosition) {
    position = sourcePosition;
  }

  public boolean autoescape() {
    return autoescape;
  }

  public void autoescape(boolean on) {
    autoescape = on;
  }

  /** Entering a node; every call is paired with {@link #leave} unless the rendering fails. */
  public void enter(int sourcePosition) {
    position = sourcePosition;
    steps(1);
    if (++depth > limits.maxDepth()) {
      throw EvaluationError.limit(
          "the template recurses deeper than " + limits.maxDepth() + " levels");
    }
  }

  public void leave() {
    depth--;
  }

  public void steps(long n) {
    steps += n;
    if (steps > limits.maxSteps()) {
      throw EvaluationError.limit(
          "the template takes more than " + limits.maxSteps() + " steps; is it looping?");
    }
  }

  /** Counts a walk over all characters, if the value is a text. */
  public void countText(Object o) {
    if (o instanceof TracedText t) {
      steps(t.length() / (t.length() < 4096 ? 64 : 16));
    }
  }

  /** Counts characters made. */
  public void charge(long characters) {
    chargeBytes(characters * 2);
    if (characters > 100) {
      steps(characters / 100);
    }
  }

  /** Counts items put into a list or dict. */
  public void chargeItems(long items) {
    if (items > limits.maxLength()) {
      throw EvaluationError.limit(
          "the template makes a list of more than " + limits.maxLength() + " items");
    }
    steps(items);
    chargeBytes(items * 16);
  }

  private void chargeBytes(long bytes) {
    allocated += bytes;
    if (allocated > limits.maxAllocation()) {
      throw EvaluationError.limit(
          "the template uses more than " + limits.maxAllocation() + " bytes; is it looping?");
    }
  }

  /** A builder that refuses texts beyond the limit. */
  public TextBuilder text() {
    return new TextBuilder(limits.maxLength());
  }

  /** The finished text, counted. */
  public TracedText built(TextBuilder out) {
    charge(out.length());
    return out.build();
  }
}
