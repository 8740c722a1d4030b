package dev.ocellus.quantize.imatrix;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * How much every column of a weight matters: the mean square of the activations that it is
 * multiplied with. Made from an {@link ImportanceMatrix} by {@link ImportanceMatrix#importance}.
 *
 * <p>Of a tensor of experts, the columns of one expert follow those of the one before.
 */
public final class Importance {
  private final Map<String, float[]> columns;
  private final String file;
  private final List<String> datasets;
  private final long nChunks;

  Importance(Map<String, float[]> columns, String file, List<String> datasets, long nChunks) {
    this.columns = new TreeMap<>(columns);
    this.file = file;
    this.datasets = List.copyOf(datasets);
    this.nChunks = nChunks;
  }

  /** The weights of a tensor's columns, if they are known; not to be changed. */
  public Optional<float[]> columns(String tensor) {
    return Optional.ofNullable(columns.get(tensor));
  }

  /** Names of all tensors of which something is known, sorted. */
  public List<String> tensors() {
    return new ArrayList<>(columns.keySet());
  }

  /** The file that it was read from, as it was named. */
  public String file() {
    return file;
  }

  /** What the activations were computed from. */
  public List<String> datasets() {
    return datasets;
  }

  /** Portions of text that were computed; 0 if that is not known. */
  public long nChunks() {
    return nChunks;
  }

  /** Without the tensors whose name holds one of these texts. */
  public Importance excluding(List<String> parts) {
    return filtered(name -> parts.stream().noneMatch(name::contains));
  }

  /** Only with the tensors whose name holds one of these texts. */
  public Importance including(List<String> parts) {
    return filtered(name -> parts.stream().anyMatch(name::contains));
  }

  private Importance filtered(Predicate<String> keep) {
    Map<String, float[]> kept = new LinkedHashMap<>();
    columns.forEach((name, values) -> {
      if (keep.test(name)) {
        kept.put(name, values);
      }
    });
    return new Importance(kept, file, datasets, nChunks);
  }
}
