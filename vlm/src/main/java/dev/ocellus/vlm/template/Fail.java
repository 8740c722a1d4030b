package dev.ocellus.vlm.template;

/** An error on its way to the nearest place that knows the line: becomes a TemplateException. */
final class Fail extends RuntimeException {
  private static final long serialVersionUID = 1;

  static final String LIMIT = "LimitExceeded";
  static final String RAISED = "TemplateError";

  private final String kind;
  private final String detail;

  Fail(String kind, String detail) {
    super(detail, null, false, false);
    this.kind = kind;
    this.detail = detail;
  }

  static Fail type(String detail) {
    return new Fail("TypeError", detail);
  }

  static Fail value(String detail) {
    return new Fail("ValueError", detail);
  }

  static Fail runtime(String detail) {
    return new Fail("TemplateRuntimeError", detail);
  }

  static Fail argument(String detail) {
    return new Fail("FilterArgumentError", detail);
  }

  static Fail limit(String detail) {
    return new Fail(LIMIT, detail);
  }

  boolean isValueOrType() {
    return kind.equals("TypeError") || kind.equals("ValueError");
  }

  TemplateException at(int line, int column) {
    return switch (kind) {
      case LIMIT -> new TemplateLimitException(detail, line, column);
      case RAISED -> new TemplateRaisedException(detail, line, column);
      default -> new TemplateException(kind, detail, line, column);
    };
  }
}
