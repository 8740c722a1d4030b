package dev.ocellus.vlm.template.builtin;

import dev.ocellus.vlm.template.runtime.Arguments;
import dev.ocellus.vlm.template.runtime.Builtins;
import dev.ocellus.vlm.template.runtime.Evaluation;

/** The filters and tests of Jinja2 and the methods of Python's types that chat templates use. */
public enum JinjaBuiltins implements Builtins {
  INSTANCE;

  @Override
  public boolean hasFilter(String name) {
    return Filters.exists(name);
  }

  @Override
  public Object filter(Evaluation in, String name, Object value, Arguments args) {
    return Filters.apply(in, name, value, args);
  }

  @Override
  public boolean hasTest(String name) {
    return Tests.exists(name);
  }

  @Override
  public boolean test(Evaluation in, String name, Object value, Arguments args) {
    return Tests.holds(in, name, value, args);
  }

  @Override
  public boolean hasMethod(Object owner, String name) {
    return Methods.exists(owner, name);
  }

  @Override
  public boolean barsMethod(Object owner, String name) {
    return Methods.isForbidden(owner, name);
  }

  @Override
  public Object method(Evaluation in, Object owner, String name, Arguments args) {
    return Methods.call(in, owner, name, args);
  }
}
