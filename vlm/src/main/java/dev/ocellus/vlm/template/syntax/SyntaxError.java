package dev.ocellus.vlm.template.syntax;

/** A template that cannot be compiled, with the place. */
public final class SyntaxError extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** {@link #kind} of a template that is not valid. */
  public static final String SYNTAX = "TemplateSyntaxError";

  private final String kind;
  private final String detail;
  private final int line;
  private final int column;

  SyntaxError(String kind, String detail, int line, int column) {
    super(detail, null, false, false);
    this.kind = kind;
    this.detail = detail;
    this.line = line;
    this.column = column;
  }

  /** {@link #SYNTAX}, or the kind of an {@code EvaluationError}: nesting too deep. */
  public String kind() {
    return kind;
  }

  /** What is wrong, without kind and place. */
  public String detail() {
    return detail;
  }

  /** Line in the template, from 1. */
  public int line() {
    return line;
  }

  /** Column in the line, from 1. */
  public int column() {
    return column;
  }
}
