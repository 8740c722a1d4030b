package dev.ocellus.vlm.decode;

import dev.ocellus.ggml.PersistentTensors;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.vlm.graph.GraphRun;
import dev.ocellus.vlm.graph.GraphRunner;
import dev.ocellus.vlm.graph.ModelGraph;
import dev.ocellus.vlm.nn.KeysValues;
import dev.ocellus.vlm.nn.KvCache;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The states of an encoder as a decoder attends to them: the keys and values of each of its layers,
 * computed once for all tokens of an answer. For one thread at a time.
 */
public final class CrossStates implements AutoCloseable {
  private static final String STATES = "states";
  private static final String PLACES = "places";

  private final GraphRunner runner;
  private final CrossDecoderGraph graph;
  private final int n;
  private final int nRemembered;
  private final PersistentTensors state;
  private final KvCache cache;

  /**
   * Takes memory for them.
   *
   * @param runner with the weights loaded
   * @param n rows
   */
  public CrossStates(GraphRunner runner, CrossDecoderGraph graph, int n) {
    this.runner = runner;
    this.graph = graph;
    this.n = n;
    nRemembered = graph.nRemembered(n);
    state = runner.newPersistentTensors();
    try {
      cache =
          KvCache.create(
              state, graph.nLayers(), graph.headWidth(), graph.nHeadKv(), nRemembered, 1);
      state.allocate();
    } catch (Throwable e) {
      state.close();
      throw e;
    }
  }

  /** Rows. */
  public int n() {
    return n;
  }

  /**
   * Computes the keys and values.
   *
   * @param states [statesWidth, n] values
   */
  public void set(float[] states) {
    try (GraphRun run = runner.start(List.of(state, STATES), this::define)) {
      run.set(STATES, states).compute();
    }
  }

  private void define(ModelGraph inputs) {
    Tensor states = inputs.input(STATES, graph.statesWidth(), n);
    int[] rows = IntStream.range(0, nRemembered).toArray();
    Tensor places = inputs.indexTable(PLACES, rows, nRemembered);
    int layer = 0;
    for (KeysValues written : graph.remember(inputs, states, cache, places)) {
      // whatever comes of the copies; without an output they would not be computed
      inputs.output("k" + layer, first(written.keys()));
      inputs.output("v" + layer, first(written.values()));
      layer++;
    }
  }

  private static Tensor first(Tensor x) {
    return x.slice(new long[] {}, 1, 1, 1, 1);
  }

  /**
   * A sequence of the decoder that attends to these states, also to those that are set later.
   *
   * @param nCtx tokens of context
   */
  public KvSequence newSequence(int nCtx) {
    var cached = new CachedGraph(runner, graph.over(cache, nRemembered), nCtx);
    return new GraphSequence(cached, nCtx, nCtx, nCtx);
  }

  /**
   * Beams of the decoder that attend to these states.
   *
   * @param nCtx most tokens of a text with its beginning
   * @param n beams
   * @param maxTokens most tokens of each behind the beginning
   */
  public BeamDecoder newBeams(int nCtx, int n, int maxTokens) {
    return GraphBeams.create(runner, graph.over(cache, nRemembered), nCtx, n, maxTokens);
  }

  /** Frees the memory, after all sequences. */
  @Override
  public void close() {
    state.close();
  }
}
