package dev.ocellus.vlm.template.builtin;

import dev.ocellus.vlm.template.runtime.Access;
import dev.ocellus.vlm.template.runtime.Evaluation;
import dev.ocellus.vlm.template.runtime.EvaluationError;
import dev.ocellus.vlm.template.runtime.None;
import dev.ocellus.vlm.template.runtime.Undefined;
import dev.ocellus.vlm.template.text.TracedText;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What filters take as {@code attribute}: names and indices with dots between them. */
record AttributePath(List<Object> parts) {
  private static final int MAX_LENGTH = 1000;

  static AttributePath of(@Nullable Object attribute) {
    if (attribute == null || attribute == None.NONE) {
      return new AttributePath(List.of());
    }
    if (!(attribute instanceof TracedText t)) {
      return new AttributePath(List.of(attribute));
    }
    if (t.length() > MAX_LENGTH) {
      throw EvaluationError.limit("an attribute path of more than " + MAX_LENGTH + " characters");
    }
    List<Object> parts = new ArrayList<>();
    int at = 0;
    while (true) {
      int dot = t.text().indexOf('.', at);
      TracedText part = t.slice(at, dot < 0 ? t.length() : dot);
      boolean number = TextSearch.is(part.text(), "isdigit") && part.length() < 10;
      Object index = number ? NumberParsing.parseInt(part.text(), 10) : part;
      parts.add(index == null ? part : index);
      if (dot < 0) {
        return new AttributePath(parts);
      }
      at = dot + 1;
    }
  }

  /** Several paths with commas between them. */
  static List<AttributePath> several(@Nullable Object attribute) {
    if (!(attribute instanceof TracedText t)) {
      return List.of(of(attribute));
    }
    if (t.length() > MAX_LENGTH) {
      throw EvaluationError.limit("attribute paths of more than " + MAX_LENGTH + " characters");
    }
    List<AttributePath> paths = new ArrayList<>();
    int at = 0;
    for (int comma = t.text().indexOf(','); comma >= 0; comma = t.text().indexOf(',', at)) {
      paths.add(of(t.slice(at, comma)));
      at = comma + 1;
    }
    paths.add(of(t.slice(at)));
    return paths;
  }

  /** What the path leads to; {@code defaultValue}, unless null, replaces what is undefined. */
  Object get(Evaluation in, Object item, @Nullable Object defaultValue) {
    Object value = item;
    for (Object part : parts) {
      value = Access.item(in, value, part);
      if (defaultValue != null && value instanceof Undefined) {
        value = defaultValue;
      }
    }
    return value;
  }

  /** Likewise as a sorting key: strings in lower case unless case counts. */
  Object key(Evaluation in, Object item, @Nullable Object defaultValue, boolean caseSensitive) {
    Object value = get(in, item, defaultValue);
    return !caseSensitive && value instanceof TracedText t ? LetterCase.lower(in, t) : value;
  }
}
