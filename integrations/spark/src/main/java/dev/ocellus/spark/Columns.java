package dev.ocellus.spark;

import java.util.Arrays;
import java.util.Locale;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.StructType;

/** Columns by their names, with errors that say what there is. */
final class Columns {
  private Columns() {}

  /**
   * The place of a column.
   *
   * @throws IllegalArgumentException if there is none, or it is of another type
   */
  static int index(StructType schema, String name, DataType type) {
    int index = Arrays.asList(schema.fieldNames()).indexOf(name);
    if (index < 0) {
      throw new IllegalArgumentException(
          "column '%s': expected one of %s".formatted(name, Arrays.toString(schema.fieldNames())));
    }
    DataType found = schema.fields()[index].dataType();
    if (!found.sameType(type)) {
      throw new IllegalArgumentException(
          "column '%s': expected the type %s, found %s"
              .formatted(name, type.simpleString(), found.simpleString()));
    }
    return index;
  }

  /** Refuses a name that is taken; Spark does not tell names apart by case. */
  static void requireFree(StructType schema, String name) {
    for (String taken : schema.fieldNames()) {
      if (taken.toLowerCase(Locale.ROOT).equals(name.toLowerCase(Locale.ROOT))) {
        throw new IllegalArgumentException(
            "the result's column '%s' is there already; name another one with withResult"
                .formatted(name));
      }
    }
  }
}
