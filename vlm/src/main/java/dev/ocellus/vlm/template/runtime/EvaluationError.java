package dev.ocellus.vlm.template.runtime;

/** An error of a template's code, named as in Python; {@code ChatTemplate} adds line and column. */
public final class EvaluationError extends RuntimeException {
  private static final long serialVersionUID = 1;

  public static final String LIMIT = "LimitExceeded";
  public static final String RAISED = "TemplateError";

  private final String kind;
  private final String detail;

  public EvaluationError(String kind, String detail) {
    super(detail, null, false, false);
    this.kind = kind;
    this.detail = detail;
  }

  public static EvaluationError type(String detail) {
    return new EvaluationError("TypeError", detail);
  }

  public static EvaluationError value(String detail) {
    return new EvaluationError("ValueError", detail);
  }

  public static EvaluationError runtime(String detail) {
    return new EvaluationError("TemplateRuntimeError", detail);
  }

  public static EvaluationError argument(String detail) {
    return new EvaluationError("FilterArgumentError", detail);
  }

  public static EvaluationError limit(String detail) {
    return new EvaluationError(LIMIT, detail);
  }

  public boolean isValueOrType() {
    return kind.equals("TypeError") || kind.equals("ValueError");
  }

  /** The Python exception that the reference raises here, {@link #LIMIT} or {@link #RAISED}. */
  public String kind() {
    return kind;
  }

  /** What went wrong, without kind and place. */
  public String detail() {
    return detail;
  }
}
