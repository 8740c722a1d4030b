package dev.ocellus.vlm.template;

import java.time.LocalDateTime;
import java.time.ZoneId;
import org.jspecify.annotations.Nullable;

/** The state of one rendering: what it has cost so far, where it is, what time it is. */
final class Evaluation {
  private final TemplateLimits limits;
  private @Nullable LocalDateTime now;
  private long steps;
  private long allocated;
  private int depth;
  private boolean autoescape;
  private int position;

  Evaluation(TemplateLimits limits, @Nullable LocalDateTime now) {
    this.limits = limits;
    this.now = now;
  }

  /** The given time, or the machine's, asked once; its time zone takes long to load. */
  LocalDateTime now() {
    LocalDateTime known = now;
    if (known == null) {
      known = LocalDateTime.now(ZoneId.systemDefault());
      now = known;
    }
    return known;
  }

  /** Where in the source the evaluation is: an offset, for messages. */
  int position() {
    return position;
  }

  void at(int sourcePosition) {
    position = sourcePosition;
  }

  boolean autoescape() {
    return autoescape;
  }

  void autoescape(boolean on) {
    autoescape = on;
  }

  /** Entering a node; every call is paired with {@link #leave} unless the rendering fails. */
  void enter(int sourcePosition) {
    position = sourcePosition;
    steps(1);
    if (++depth > limits.maxDepth()) {
      throw Fail.limit("the template recurses deeper than " + limits.maxDepth() + " levels");
    }
  }

  void leave() {
    depth--;
  }

  void steps(long n) {
    steps += n;
    if (steps > limits.maxSteps()) {
      throw Fail.limit(
          "the template takes more than " + limits.maxSteps() + " steps; is it looping?");
    }
  }

  /** Counts a walk over all characters, if the value is a text. */
  void countText(Object o) {
    if (o instanceof Text t) {
      steps(t.length() / (t.length() < 4096 ? 64 : 16));
    }
  }

  /** Counts characters made. */
  void charge(long characters) {
    chargeBytes(characters * 2);
    if (characters > 100) {
      steps(characters / 100);
    }
  }

  /** Counts items put into a list or dict. */
  void chargeItems(long items) {
    if (items > limits.maxLength()) {
      throw Fail.limit("the template makes a list of more than " + limits.maxLength() + " items");
    }
    steps(items);
    chargeBytes(items * 16);
  }

  private void chargeBytes(long bytes) {
    allocated += bytes;
    if (allocated > limits.maxAllocation()) {
      throw Fail.limit(
          "the template uses more than " + limits.maxAllocation() + " bytes; is it looping?");
    }
  }

  /** A builder that refuses texts beyond the limit. */
  TextBuilder text() {
    return new TextBuilder(limits.maxLength());
  }

  /** The finished text, counted. */
  Text built(TextBuilder out) {
    charge(out.length());
    return out.build();
  }
}
