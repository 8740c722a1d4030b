package dev.ocellus.vlm.grammar.schema;

import dev.ocellus.OcellusException;

/** A JSON schema that is not valid, allows nothing, or asks for more than is supported. */
public final class JsonSchemaException extends OcellusException {
  private static final long serialVersionUID = 1;

  private final String pointer;

  /**
   * @param pointer JSON pointer (RFC 6901) to what is to blame; empty for the whole schema
   * @param message what is wrong with it
   */
  public JsonSchemaException(String pointer, String message) {
    super("JSON schema, at #%s: %s".formatted(pointer, message));
    this.pointer = pointer;
  }

  JsonSchemaException(String pointer, String message, Throwable cause) {
    super("JSON schema, at #%s: %s".formatted(pointer, message), cause);
    this.pointer = pointer;
  }

  /** JSON pointer (RFC 6901) to what is to blame, such as {@code /properties/age}. */
  public String pointer() {
    return pointer;
  }
}
