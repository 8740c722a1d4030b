package dev.ocellus.vlm.graph;

import dev.ocellus.ggml.GraphBuilder;
import dev.ocellus.ggml.Scheduler;
import dev.ocellus.ggml.Tensor;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/**
 * A graph while it is defined: its inputs, which every run fills by name, its tables, whose values
 * follow from the shape and are given here once, and its outputs. Sizes are in ggml order,
 * innermost first.
 */
public final class ModelGraph {
  private final GraphBuilder builder;
  private final Map<String, Tensor> inputs = new LinkedHashMap<>();
  private final Map<String, Tensor> outputs = new LinkedHashMap<>();
  private final Set<String> tableNames = new HashSet<>();
  private final List<Consumer<Scheduler.Computation>> tables = new ArrayList<>();

  ModelGraph(GraphBuilder builder) {
    this.builder = builder;
  }

  /** Floats that every run sets. */
  public Tensor input(String name, long... shape) {
    return input(name, builder.input(requireNew(name), shape));
  }

  /** Numbers from 0 to {@code limit - 1} that every run sets: token ids, or places in a cache. */
  public Tensor indices(String name, long n, long limit) {
    return input(name, builder.indices(requireNew(name), n, limit));
  }

  /** Integers without a limit that every run sets. */
  public Tensor positions(String name, long n) {
    return input(name, builder.positions(requireNew(name), n));
  }

  private Tensor input(String name, Tensor tensor) {
    inputs.put(name, tensor);
    return tensor;
  }

  /** Floats that are the same in every run, such as a causal mask or cosines of positions. */
  public Tensor table(String name, float[] values, long... shape) {
    Tensor tensor = builder.input(requireNew(name), shape);
    tableNames.add(name);
    tables.add(computation -> computation.set(tensor, values));
    return tensor;
  }

  /** Numbers from 0 to {@code limit - 1} that are the same in every run. */
  public Tensor indexTable(String name, int[] values, long limit) {
    return integers(name, builder.indices(requireNew(name), values.length, limit), values);
  }

  /** Integers without a limit that are the same in every run. */
  public Tensor positionTable(String name, int[] values) {
    return integers(name, builder.positions(requireNew(name), values.length), values);
  }

  private Tensor integers(String name, Tensor tensor, int[] values) {
    tableNames.add(name);
    tables.add(computation -> computation.set(tensor, values));
    return tensor;
  }

  /**
   * Whether named intermediates are to be read, so that those have to be computed, too, that no
   * output needs.
   */
  public boolean keepsNamed() {
    return builder.keepsNamed();
  }

  /** Lets {@link GraphRun#get} read a tensor after a run. */
  public void output(String name, Tensor tensor) {
    if (outputs.putIfAbsent(name, tensor.contiguous()) != null) {
      throw new IllegalArgumentException("This graph has an output " + name + " already");
    }
  }

  private String requireNew(String name) {
    if (inputs.containsKey(name) || tableNames.contains(name)) {
      throw new IllegalArgumentException("This graph has an input or table " + name + " already");
    }
    return name;
  }

  Map<String, Tensor> inputs() {
    return inputs;
  }

  Map<String, Tensor> outputs() {
    if (outputs.isEmpty()) {
      throw new IllegalStateException("A graph must name an output; call output(name, tensor)");
    }
    return outputs;
  }

  /** Intermediates may have used the memory of tables since the last run. */
  void fillTables(Scheduler.Computation computation) {
    tables.forEach(table -> table.accept(computation));
  }
}
