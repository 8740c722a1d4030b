package dev.ocellus.convert.model.base;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Names in the checkpoint and in the GGUF file. A pair without the ending ({@code .weight}, {@code
 * .bias}); a {@code #} in both stands for the number of a block.
 */
public final class NameTable {
  private static final List<String> ENDINGS = List.of(".weight", ".bias");

  private final Map<String, String> names = new HashMap<>();

  private NameTable() {}

  /** A table of pairs, each "from to". */
  public static NameTable of(String... pairs) {
    return new NameTable().with(pairs);
  }

  /** This table with more pairs; a later one replaces an earlier one. */
  public NameTable with(String... pairs) {
    NameTable table = new NameTable();
    table.names.putAll(names);
    for (String pair : pairs) {
      String[] two = pair.trim().split(" +");
      if (two.length != 2) {
        throw new IllegalArgumentException("not a pair: " + pair);
      }
      table.names.put(two[0], two[1]);
    }
    return table;
  }

  /** The name in the GGUF file, if this table has it. */
  public Optional<String> find(String name) {
    for (String ending : ENDINGS) {
      if (name.endsWith(ending)) {
        String stem = name.substring(0, name.length() - ending.length());
        Optional<String> found = stem(stem).map(s -> s + ending);
        if (found.isPresent()) {
          return found;
        }
      }
    }
    return stem(name);
  }

  private Optional<String> stem(String stem) {
    String exact = names.get(stem);
    if (exact != null) {
      return Optional.of(exact);
    }
    Block block = Block.find(stem);
    if (block == null) {
      return Optional.empty();
    }
    String to = names.get(block.pattern());
    return to == null ? Optional.empty() : Optional.of(to.replace("#", block.number()));
  }

  /** The first part of a name that is a number, and the name with a {@code #} in its place. */
  private record Block(String pattern, String number) {
    static @org.jspecify.annotations.Nullable Block find(String stem) {
      String[] parts = stem.split("\\.", -1);
      for (int i = 0; i < parts.length; i++) {
        if (!parts[i].isEmpty() && parts[i].length() <= 9 && isDigits(parts[i])) {
          String number = parts[i];
          parts[i] = "#";
          return new Block(String.join(".", parts), number);
        }
      }
      return null;
    }

    private static boolean isDigits(String s) {
      return s.chars().allMatch(c -> c >= '0' && c <= '9');
    }
  }
}
