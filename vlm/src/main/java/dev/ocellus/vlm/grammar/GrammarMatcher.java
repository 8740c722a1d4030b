package dev.ocellus.vlm.grammar;

import java.nio.charset.StandardCharsets;

/** Tells of a text that arrives piece by piece whether it can still match a grammar. */
public final class GrammarMatcher {
  private Automaton automaton;
  private final Program program;
  private Automaton.State state;
  private boolean failed;

  GrammarMatcher(Program program) {
    this.program = program;
    this.automaton = new Automaton(program);
    this.state = automaton.start();
  }

  /**
   * Adds text.
   *
   * @return whether the text so far begins one that matches; once it does not, it never will
   */
  public boolean accept(String text) {
    return accept(text.getBytes(StandardCharsets.UTF_8));
  }

  /** As {@link #accept(String)}, for UTF-8 that may end inside a character. */
  public boolean accept(byte[] utf8) {
    for (byte b : utf8) {
      Automaton.State next = failed ? null : state.after(b & 0xFF);
      if (next == null) {
        failed = true;
        return false;
      }
      state = next;
      if (automaton.isFull()) {
        automaton = new Automaton(program);
        state = automaton.adopt(state);
      }
    }
    return !failed;
  }

  /** Whether a text may follow, which is not added. */
  public boolean allows(String text) {
    Automaton.State after = failed ? null : state;
    for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
      after = after == null ? null : after.after(b & 0xFF);
    }
    return after != null;
  }

  /** Whether the text so far matches. */
  public boolean isComplete() {
    return !failed && state.isComplete();
  }

  /** Whether nothing may follow. */
  public boolean mustEnd() {
    return !failed && state.mustEnd();
  }

  /**
   * A short text with which the text so far matches.
   *
   * @throws IllegalStateException if none does any more
   */
  public String shortestEnd() {
    if (failed) {
      throw new IllegalStateException("the text does not match the grammar any more");
    }
    var bytes = new java.io.ByteArrayOutputStream();
    for (Automaton.State s = state; !s.isComplete(); ) {
      int step = s.shortest();
      Automaton.State next = step >= 0 && step < 256 ? s.after(step) : null;
      if (next == null) {
        throw new IllegalStateException("the grammar wants tokens, which only a vocabulary has");
      }
      bytes.write(step);
      s = next;
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }
}
