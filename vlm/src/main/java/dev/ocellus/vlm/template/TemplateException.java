package dev.ocellus.vlm.template;

import dev.ocellus.OcellusException;

/** A chat template that cannot be compiled or rendered. The message names line and column. */
public class TemplateException extends OcellusException {
  private static final long serialVersionUID = 1;

  private final String kind;
  private final String detail;
  private final int line;
  private final int column;

  TemplateException(String kind, String detail, int line, int column) {
    super("chat template, line " + line + ", column " + column + ": " + kind + ": " + detail);
    this.kind = kind;
    this.detail = detail;
    this.line = line;
    this.column = column;
  }

  /** The Python exception that the reference raises here, such as {@code TypeError}. */
  public String kind() {
    return kind;
  }

  /** What went wrong, without kind and place. */
  public String detail() {
    return detail;
  }

  /** Line in the template, from 1. */
  public int line() {
    return line;
  }

  /** Column in the line, from 1, in UTF-16 units. */
  public int column() {
    return column;
  }
}
