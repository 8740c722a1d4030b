package dev.ocellus.vlm.decode;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.ggml.PersistentTensors;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.vlm.graph.GraphRun;
import dev.ocellus.vlm.graph.GraphRunner;
import dev.ocellus.vlm.graph.ModelGraph;
import dev.ocellus.vlm.nn.AttentionMask;
import dev.ocellus.vlm.nn.KvCache;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Computes rows of a {@link DecoderGraph} against a cache of keys and values. Where they stand in
 * it and what they attend to is the caller's to say.
 */
final class CachedGraph implements AutoCloseable {
  /** Keys are rounded up to a multiple of this, so that one graph serves many tokens. */
  private static final int KEYS = 64;

  private final GraphRunner runner;
  private final DecoderGraph graph;
  private final int nPlaces;
  private final PersistentTensors state;
  private final KvCache cache;

  /** Position in the text of what stands at each place. */
  private final int[] keyPositions;

  /**
   * @param nPlaces rows of the cache
   */
  CachedGraph(GraphRunner runner, DecoderGraph graph, int nPlaces) {
    this.runner = runner;
    this.graph = graph;
    this.nPlaces = nPlaces;
    this.keyPositions = new int[nPlaces];
    this.state = runner.newPersistentTensors();
    try {
      this.cache =
          KvCache.create(state, graph.nLayers(), graph.headWidth(), graph.nHeadKv(), nPlaces, 1);
      state.allocate();
    } catch (Throwable e) {
      state.close();
      throw e;
    }
  }

  /**
   * Where rows stand.
   *
   * @param places of each in the cache
   * @param positions of each in the text
   * @param mask [nKeys, n] values of an {@link AttentionMask}
   */
  record Rows(int[] places, int[] positions, float[] mask) {
    int n() {
      return places.length;
    }

    int nKeys() {
      return mask.length / places.length;
    }
  }

  /** Where logits go: those of the last {@code n} rows to {@code to[first]} and those behind it. */
  record Outputs(int n, float[][] to, int first) {}

  DecoderGraph graph() {
    return graph;
  }

  int nPlaces() {
    return nPlaces;
  }

  /** How many keys a mask is for that must cover the first {@code n}. */
  int nKeys(int n) {
    return Math.min(nPlaces, Math.ceilDiv(n, KEYS) * KEYS);
  }

  void tokens(int[] ids, Rows rows, Outputs outputs, CancellationFlag flag) {
    run(
        "tokens",
        rows,
        outputs,
        inputs -> graph.embed(inputs.indices("ids", rows.n(), graph.nVocab())),
        run -> {
          run.set("ids", ids);
          graph.setPositions(run, rows.positions);
        },
        flag);
  }

  /**
   * @param values embeddings, from {@code offset} on
   * @param positions of each, on each axis
   */
  void embeddings(
      float[] values,
      int offset,
      int[][] positions,
      Rows rows,
      Outputs outputs,
      CancellationFlag flag) {
    run(
        "embeddings",
        rows,
        outputs,
        inputs -> inputs.input("embeddings", graph.width(), rows.n()),
        run -> {
          run.set("embeddings", values, offset);
          graph.setPositions(run, positions);
        },
        flag);
  }

  private void run(
      String kind,
      Rows rows,
      Outputs outputs,
      Function<ModelGraph, Tensor> input,
      Consumer<GraphRun> setInput,
      CancellationFlag flag) {
    int n = rows.n();
    int nKeys = rows.nKeys();
    Object key = List.of(state, kind, n, nKeys, outputs.n);
    try (GraphRun run = runner.start(key, inputs -> define(inputs, input, n, nKeys, outputs.n))) {
      setInput.accept(run);
      for (int i = 0; i < n; i++) {
        keyPositions[rows.places[i]] = rows.positions[i];
      }
      graph.setKeys(run, rows.positions, Arrays.copyOf(keyPositions, nKeys));
      run.set("places", rows.places).set("mask", rows.mask);
      run.compute(flag);
      for (int i = 0; i < outputs.n; i++) {
        long from = (long) i * graph.nVocab();
        run.get("result", from, graph.nVocab(), outputs.to[outputs.first + i], 0);
      }
    }
  }

  private void define(
      ModelGraph inputs, Function<ModelGraph, Tensor> input, int n, int nKeys, int nOutputs) {
    Tensor x = input.apply(inputs);
    Tensor places = inputs.indices("places", n, nPlaces);
    AttentionMask mask = AttentionMask.of(inputs.input("mask", nKeys, n));
    Tensor hidden = graph.forward(inputs, x, cache, places, mask);
    // without logits, too, something has to be asked for, or nothing is computed
    int rows = Math.max(1, nOutputs);
    Tensor last = hidden.slice(new long[] {0, n - rows}, hidden.size(0), rows);
    inputs.output("result", nOutputs == 0 ? last : graph.logits(last.contiguous()));
  }

  boolean isClosed() {
    return state.isClosed();
  }

  @Override
  public void close() {
    state.close();
  }
}
