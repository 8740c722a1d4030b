package dev.ocellus.vlm.template;

/**
 * The template refused the conversation through {@code raise_exception}; {@link #detail} is the
 * template's own message, such as "Conversation roles must alternate".
 */
public final class TemplateRaisedException extends TemplateException {
  private static final long serialVersionUID = 1;

  TemplateRaisedException(String detail, int line, int column) {
    super("TemplateError", detail, line, column);
  }
}
