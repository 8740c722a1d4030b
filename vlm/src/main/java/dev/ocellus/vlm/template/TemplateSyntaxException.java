package dev.ocellus.vlm.template;

/** A chat template that is not valid Jinja, or uses a tag or filter that does not exist here. */
public final class TemplateSyntaxException extends TemplateException {
  private static final long serialVersionUID = 1;

  TemplateSyntaxException(String detail, int line, int column) {
    super("TemplateSyntaxError", detail, line, column);
  }
}
