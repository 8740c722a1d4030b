package dev.ocellus.vlm.template.runtime;

import java.util.Iterator;

/** What {@code keys()}, {@code values()} and {@code items()} of a dict give. */
public record DictView(Dict dict, Kind kind) {
  public enum Kind {
    KEYS("dict_keys"),
    VALUES("dict_values"),
    ITEMS("dict_items");

    final String typeName;

    Kind(String typeName) {
      this.typeName = typeName;
    }
  }

  public Iterator<Object> iterator() {
    Iterator<Dict.Entry> entries = dict.entries().iterator();
    return new Iterator<>() {
      @Override
      public boolean hasNext() {
        return entries.hasNext();
      }

      @Override
      public Object next() {
        Dict.Entry e = entries.next();
        return switch (kind) {
          case KEYS -> e.key();
          case VALUES -> e.value();
          case ITEMS -> Sequence.tuple(e.key(), e.value());
        };
      }
    };
  }
}
