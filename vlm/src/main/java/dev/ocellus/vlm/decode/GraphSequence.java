package dev.ocellus.vlm.decode;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.ggml.PersistentTensors;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.llama.ContextOverflowException;
import dev.ocellus.vlm.graph.GraphRun;
import dev.ocellus.vlm.graph.GraphRunner;
import dev.ocellus.vlm.graph.ModelGraph;
import dev.ocellus.vlm.nn.AttentionMask;
import dev.ocellus.vlm.nn.KvCache;
import dev.ocellus.vlm.vision.EncodedImage;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;

/** A sequence whose keys and values lie in tensors of a {@link GraphRunner}. */
final class GraphSequence implements KvSequence {
  /** Keys are rounded up to a multiple of this, so that one graph serves many tokens. */
  private static final int KEYS = 64;

  private final GraphRunner runner;
  private final DecoderGraph graph;
  private final int nCtx;
  private final int nBatch;
  private final int nUbatch;
  private final PersistentTensors state;
  private final KvCache cache;
  private int used;
  private float[][] outputs = {};

  GraphSequence(GraphRunner runner, DecoderGraph graph, int nCtx, int nBatch, int nUbatch) {
    this.runner = runner;
    this.graph = graph;
    this.nCtx = nCtx;
    this.nBatch = Math.min(nBatch, nCtx);
    this.nUbatch = Math.min(nUbatch, this.nBatch);
    this.state = runner.newPersistentTensors();
    try {
      this.cache =
          KvCache.create(state, graph.nLayers(), graph.headWidth(), graph.nHeadKv(), nCtx, 1);
      state.allocate();
    } catch (Throwable e) {
      state.close();
      throw e;
    }
  }

  /** A part of a call that is computed at once. */
  private record Step(String kind, int n, int nOutputs, int firstOutput, float[] mask) {}

  @Override
  public int nCtx() {
    return nCtx;
  }

  @Override
  public int nBatch() {
    return nBatch;
  }

  @Override
  public int nUbatch() {
    return nUbatch;
  }

  @Override
  public void decodeTokens(
      int[] ids, int from, int count, int position, int nOutputs, CancellationFlag flag) {
    begin(position, count, nOutputs);
    for (int done = 0; done < count; ) {
      int n = Math.min(nUbatch, count - done);
      int[] part = Arrays.copyOfRange(ids, from + done, from + done + n);
      int first = Math.max(0, done - (count - nOutputs));
      int last = Math.max(0, done + n - (count - nOutputs));
      var step = new Step("tokens", n, last - first, first, mask(n, true));
      run(
          step,
          inputs -> graph.embed(inputs.indices("ids", n, graph.nVocab())),
          run -> run.set("ids", part),
          flag);
      done += n;
    }
  }

  @Override
  public void decodeEmbeddings(
      EncodedImage image,
      int from,
      int[][] positions,
      boolean causal,
      boolean wantsLogits,
      CancellationFlag flag) {
    int count = positions.length;
    if (image.width() != graph.width()) {
      throw new IllegalArgumentException(
          "image: expected embeddings of %d floats, found %d"
              .formatted(graph.width(), image.width()));
    }
    if (!causal && count > nUbatch) {
      throw new IllegalArgumentException(
          "embeddings with non-causal attention: expected at most a micro-batch of %d, found %d"
              .formatted(nUbatch, count));
    }
    begin(positions[0][0], count, wantsLogits ? 1 : 0);
    for (int done = 0; done < count; ) {
      int n = Math.min(nUbatch, count - done);
      int offset = (from + done) * graph.width();
      int nOutputs = wantsLogits && done + n == count ? 1 : 0;
      run(
          new Step("embeddings", n, nOutputs, 0, mask(n, causal)),
          inputs -> inputs.input("embeddings", graph.width(), n),
          run -> run.set("embeddings", image.values(), offset),
          flag);
      done += n;
    }
  }

  private void begin(int position, int count, int nOutputs) {
    if (position != used) {
      throw new IllegalArgumentException(
          "position: expected %d, behind what stands in the sequence, found %d"
              .formatted(used, position));
    }
    if (used + count > nCtx) {
      throw new ContextOverflowException(
          ContextOverflowException.Kind.CONTEXT,
          used + count,
          nCtx,
          "The context of %d tokens has no room for %d more. Use a larger context or a shorter conversation."
              .formatted(nCtx, count));
    }
    int have = outputs.length;
    if (nOutputs > have) {
      outputs = Arrays.copyOf(outputs, nOutputs);
      for (int i = have; i < nOutputs; i++) {
        outputs[i] = new float[graph.nVocab()];
      }
    }
  }

  private int nKeys(int n) {
    return Math.min(nCtx, Math.ceilDiv(used + n, KEYS) * KEYS);
  }

  private float[] mask(int n, boolean causal) {
    int nKeys = nKeys(n);
    return causal
        ? AttentionMask.causal(n, nKeys, used)
        : AttentionMask.padding(n, nKeys, used + n);
  }

  private void run(
      Step step,
      Function<ModelGraph, Tensor> input,
      Consumer<GraphRun> setInput,
      CancellationFlag flag) {
    int n = step.n;
    int nKeys = nKeys(n);
    Object key = List.of(state, step.kind, n, nKeys, step.nOutputs);
    try (GraphRun run =
        runner.start(key, inputs -> define(inputs, input, n, nKeys, step.nOutputs))) {
      setInput.accept(run);
      int[] places = new int[n];
      Arrays.setAll(places, i -> used + i);
      run.set("places", places).set("mask", step.mask);
      graph.setPositions(run, used, n);
      run.compute(flag);
      for (int i = 0; i < step.nOutputs; i++) {
        long from = (long) i * graph.nVocab();
        run.get("result", from, graph.nVocab(), outputs[step.firstOutput + i], 0);
      }
    }
    used += n;
  }

  private void define(
      ModelGraph inputs, Function<ModelGraph, Tensor> input, int n, int nKeys, int nOutputs) {
    Tensor x = input.apply(inputs);
    Tensor places = inputs.indices("places", n, nCtx);
    AttentionMask mask = AttentionMask.of(inputs.input("mask", nKeys, n));
    Tensor hidden = graph.forward(inputs, x, cache, places, mask);
    // without logits, too, something has to be asked for, or nothing is computed
    int rows = Math.max(1, nOutputs);
    Tensor last = hidden.slice(new long[] {0, n - rows}, graph.width(), rows);
    inputs.output("result", nOutputs == 0 ? last : graph.logits(last.contiguous()));
  }

  @Override
  public float[] logits(int i) {
    return outputs[i];
  }

  @Override
  public boolean removeFrom(int position) {
    used = Math.min(used, position);
    return true;
  }

  @Override
  public boolean hasPositionsBefore(int position) {
    return position <= used;
  }

  @Override
  public boolean isClosed() {
    return state.isClosed();
  }

  @Override
  public void close() {
    state.close();
  }
}
