package dev.ocellus.vlm.template.runtime;

import java.util.Iterator;

/**
 * A value that can be walked once, as {@code map} and {@code select} give: always true, without
 * length, not serializable.
 */
public final class PythonGenerator {
  private final String typeName;
  private final Iterator<Object> iterator;
  private final int depth;

  public PythonGenerator(String typeName, Iterator<Object> iterator, Object source) {
    this.typeName = typeName;
    this.iterator = iterator;
    this.depth = Values.deeper(Values.depth(source));
  }

  public PythonGenerator(Iterator<Object> iterator, Object source) {
    this("generator", iterator, source);
  }

  String typeName() {
    return typeName;
  }

  Iterator<Object> iterator() {
    return iterator;
  }

  int depth() {
    return depth;
  }
}
