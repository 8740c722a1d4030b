package dev.ocellus.vlm.template;

/**
 * A word of the template language.
 *
 * @param text the operator, name or data; for a string its value, for a number its digits
 * @param position offset in the source
 */
record Token(Type type, String text, int position) {
  enum Type {
    DATA,
    BLOCK_BEGIN,
    BLOCK_END,
    VARIABLE_BEGIN,
    VARIABLE_END,
    NAME,
    STRING,
    INTEGER,
    FLOAT,
    OPERATOR,
    END
  }

  boolean isName(String name) {
    return type == Type.NAME && text.equals(name);
  }

  boolean isOperator(String operator) {
    return type == Type.OPERATOR && text.equals(operator);
  }

  /** As it stands in a message. */
  String describe() {
    return switch (type) {
      case DATA -> "template text";
      case BLOCK_BEGIN -> "{%";
      case BLOCK_END -> "%}";
      case VARIABLE_BEGIN -> "{{";
      case VARIABLE_END -> "}}";
      case STRING -> "a string";
      case END -> "end of template";
      default -> text;
    };
  }
}
