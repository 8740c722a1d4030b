package dev.ocellus.vlm.grammar;

import dev.ocellus.OcellusException;

/** A grammar that is not valid, can match nothing, or is too ambiguous to follow. */
public final class GrammarException extends OcellusException {
  private static final long serialVersionUID = 1;

  private final int line;
  private final int column;

  GrammarException(String message) {
    super("grammar: " + message);
    this.line = 0;
    this.column = 0;
  }

  GrammarException(String message, int line, int column) {
    super("grammar, line %d, column %d: %s".formatted(line, column, message));
    this.line = line;
    this.column = column;
  }

  /** Line, from 1; 0 when no place is to blame. */
  public int line() {
    return line;
  }

  /** Column in characters, from 1; 0 when no place is to blame. */
  public int column() {
    return column;
  }
}
