package dev.ocellus.tests.bench.suite;

import java.util.ArrayList;
import java.util.List;

/** What is measured. */
final class Rows {
  private Rows() {}

  static List<Row> all(Sides sides) {
    List<Row> rows = new ArrayList<>();
    new TextRows(sides).addTo(rows);
    new ImageRows(sides).addTo(rows);
    new DualRows(sides).addTo(rows);
    new StartRows(sides).addTo(rows);
    new ServingRows(sides).addTo(rows);
    return rows;
  }
}
