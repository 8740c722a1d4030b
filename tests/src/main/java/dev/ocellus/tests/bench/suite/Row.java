package dev.ocellus.tests.bench.suite;

import java.io.IOException;
import java.util.List;

/**
 * One line of a table.
 *
 * @param group the heading of its table
 * @param name what is measured, with its unit
 * @param goal what the ratio should be, or of a row with {@link #NO_PEER} the value, as text
 * @param heavy left out with {@code --quick}
 * @param own measures Ocellus once
 * @param peer measures what it is compared with once
 */
record Row(String group, String name, String goal, boolean heavy, Measure own, Measure peer) {
  /** Measures once. */
  interface Measure {
    double once() throws IOException, InterruptedException;
  }

  /** Whether its name or its group contains one of the texts. */
  boolean isNamedBy(List<String> texts) {
    return texts.stream().anyMatch((group + " " + name)::contains);
  }

  /** For a row whose value stands for itself. */
  static final Measure NO_PEER = () -> Double.NaN;
}
