package dev.ocellus.vlm.template.syntax;

import dev.ocellus.vlm.template.runtime.EvaluationError;
import dev.ocellus.vlm.template.runtime.PythonNumbers;
import java.math.BigInteger;

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

  /** The value of an integer: Long or BigInteger. */
  Object integer() {
    String digits = text;
    int radix =
        digits.length() < 2
            ? 10
            : switch (digits.charAt(1)) {
              case 'x', 'X' -> 16;
              case 'o', 'O' -> 8;
              case 'b', 'B' -> 2;
              default -> 10;
            };
    if (digits.length() > 4300) {
      throw EvaluationError.limit("an integer of more than 4300 digits");
    }
    return PythonNumbers.bounded(new BigInteger(radix == 10 ? digits : digits.substring(2), radix));
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
