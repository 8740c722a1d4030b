package dev.ocellus.vlm.template.runtime;

/**
 * What the language is furnished with: filters, tests and the methods of values, by name. Parser
 * and evaluation know them through this interface only.
 */
public interface Builtins {
  boolean hasFilter(String name);

  /** {@code value | name(args)}. */
  Object filter(Evaluation in, String name, Object value, Arguments args);

  boolean hasTest(String name);

  /** {@code value is name(args)}. */
  boolean test(Evaluation in, String name, Object value, Arguments args);

  boolean hasMethod(Object owner, String name);

  /** Whether the reference's sandbox bars the method, as it would change its owner. */
  boolean barsMethod(Object owner, String name);

  /** {@code owner.name(args)} of a method that exists. */
  Object method(Evaluation in, Object owner, String name, Arguments args);
}
