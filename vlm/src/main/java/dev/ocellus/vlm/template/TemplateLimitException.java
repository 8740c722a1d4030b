package dev.ocellus.vlm.template;

/** A chat template that loops, recurses or grows beyond its {@link TemplateLimits}. */
public final class TemplateLimitException extends TemplateException {
  private static final long serialVersionUID = 1;

  TemplateLimitException(String detail, int line, int column) {
    super("LimitExceeded", detail, line, column);
  }
}
