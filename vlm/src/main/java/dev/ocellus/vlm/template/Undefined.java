package dev.ocellus.vlm.template;

/**
 * A name or attribute that does not exist. May be printed (as nothing), iterated (over nothing) and
 * tested; anything else raises its message.
 */
record Undefined(String kind, String message) {
  static Undefined of(String message) {
    return new Undefined("UndefinedError", message);
  }

  static Undefined name(String name) {
    return of("'" + name + "' is undefined");
  }

  static Undefined attribute(Object owner, String name) {
    return of("'" + ownerName(owner) + "' has no attribute " + Printing.quote(name));
  }

  static Undefined element(Object owner, Object index) {
    if (index instanceof Text name) {
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

  Fail fail() {
    return new Fail(kind, message);
  }
}
