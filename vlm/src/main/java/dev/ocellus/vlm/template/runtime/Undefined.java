package dev.ocellus.vlm.template.runtime;

import dev.ocellus.vlm.template.text.TracedText;

/**
 * A name or attribute that does not exist. May be printed (as nothing), iterated (over nothing) and
 * tested; anything else raises its message.
 */
public record Undefined(String kind, String message) {
  public static Undefined of(String message) {
    return new Undefined("UndefinedError", message);
  }

  public static Undefined name(String name) {
    return of("'" + name + "' is undefined");
  }

  public static Undefined attribute(Object owner, String name) {
    return of("'" + ownerName(owner) + "' has no attribute " + Printing.quote(name));
  }

  static Undefined element(Object owner, Object index) {
    if (index instanceof TracedText name) {
      return attribute(owner, name.text());
    }
    return of(ownerName(owner) + " has no element " + Printing.shortRepr(index));
  }

  static Undefined unsafe(Object owner, String name) {
    return new Undefined(
        "SecurityError",
        "access to attribute '" + name + "' of '" + Values.typeName(owner) + "' object is unsafe.");
  }

  private static String ownerName(Object owner) {
    return owner == None.NONE ? "None" : Values.typeName(owner) + " object";
  }

  public EvaluationError fail() {
    return new EvaluationError(kind, message);
  }
}
