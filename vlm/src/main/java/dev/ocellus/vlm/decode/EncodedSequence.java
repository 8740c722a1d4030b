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
import org.jspecify.annotations.Nullable;

/**
 * A prompt that an {@link EncoderDecoderGraph} has encoded, and one or several answers to it. For
 * whoever fills it, the answer's tokens stand behind the prompt; the token that the decoder begins
 * with stands for the prompt's last one, whose logits are those of the answer's first.
 */
final class EncodedSequence implements KvSequence, BeamDecoder {
  /** Keys are rounded up to a multiple of this, so that one graph serves many tokens. */
  private static final int KEYS = 32;

  private final GraphRunner runner;
  private final EncoderDecoderGraph graph;
  private final int nCtx;
  private final int nBeams;
  private final int nRows;
  private final PersistentTensors state;
  private final KvCache memory;
  private final KvCache own;
  private float[][] outputs;
  private int nPrompt;
  private int nAnswer;
  private @Nullable BeamRows beams;

  /**
   * @param nCtx most tokens of the prompt and of an answer
   * @param nBeams answers at the same time
   * @param maxTokens most tokens of an answer
   */
  EncodedSequence(
      GraphRunner runner, EncoderDecoderGraph graph, int nCtx, int nBeams, int maxTokens) {
    this.runner = runner;
    this.graph = graph;
    this.nCtx = nCtx;
    this.nBeams = nBeams;
    this.nRows = Math.addExact(1, Math.multiplyExact(nBeams, maxTokens));
    this.outputs = new float[nBeams][graph.nVocab()];
    this.state = runner.newPersistentTensors();
    try {
      int layers = graph.nLayers();
      memory = KvCache.create(state, layers, graph.headWidth(), graph.nHead(), nCtx, 1, "memory");
      own = KvCache.create(state, layers, graph.headWidth(), graph.nHead(), nRows, 1, "cache");
      state.allocate();
    } catch (Throwable e) {
      state.close();
      throw e;
    }
  }

  @Override
  public int nCtx() {
    return nCtx;
  }

  @Override
  public int nBatch() {
    return nCtx;
  }

  @Override
  public int nUbatch() {
    return nCtx;
  }

  @Override
  public KvSequence prompt() {
    return this;
  }

  @Override
  public void decodeEmbeddings(
      EncodedImage image,
      int from,
      int[][] positions,
      boolean causal,
      boolean wantsLogits,
      CancellationFlag flag) {
    int n = positions.length;
    if (causal || nPrompt > 0 || image.width() != graph.width()) {
      throw new IllegalArgumentException(
          "prompt: expected all its embeddings of %d floats at once, found %d of %d after %d"
              .formatted(graph.width(), n, image.width(), nPrompt));
    }
    requireRoom(n);
    encode(
        Arrays.copyOfRange(image.values(), from * graph.width(), (from + n) * graph.width()),
        n,
        flag);
    nPrompt = n;
    nAnswer = 0;
    beams = null;
    var start = new Rows(new int[] {0}, new int[] {0}, 1);
    decode(new int[] {graph.startToken()}, start, 1, flag);
  }

  private void requireRoom(int n) {
    if (nPrompt == 0 && n > graph.maxPositions()) {
      throw new ContextOverflowException(
          ContextOverflowException.Kind.CONTEXT,
          n,
          graph.maxPositions(),
          "The prompt has %d tokens, and this model (%s) reads at most %d. Use a shorter prompt."
              .formatted(n, graph.description(), graph.maxPositions()));
    }
    if (nPrompt + nAnswer + n > nCtx || (nPrompt > 0 && 1 + nAnswer + n > nRows)) {
      throw SequenceRoom.overflow(nPrompt + nAnswer, n, nCtx);
    }
  }

  private void encode(float[] embeddings, int n, CancellationFlag flag) {
    int[] places = new int[n];
    Arrays.setAll(places, i -> i);
    try (GraphRun run =
        runner.start(List.of(state, "encode", n), inputs -> defineEncoder(inputs, n))) {
      run.set("embeddings", embeddings).set("places", places).compute(flag);
    }
  }

  private void defineEncoder(ModelGraph inputs, int n) {
    Tensor states = graph.encode(inputs, inputs.input("embeddings", graph.width(), n));
    graph.remember(states, memory, inputs.indices("places", n, nCtx));
    inputs.output("states", states);
  }

  /**
   * @param places rows of the cache
   * @param positions of each in the answer
   * @param used rows of the cache that are filled with these
   */
  private record Rows(int[] places, int[] positions, int used) {}

  @Override
  public void decodeTokens(
      int[] ids, int from, int count, int position, int nOutputs, CancellationFlag flag) {
    if (nPrompt == 0 || position != nPrompt + nAnswer) {
      throw new IllegalArgumentException(
          "position: expected %d, behind an encoded prompt, found %d"
              .formatted(nPrompt + nAnswer, position));
    }
    requireRoom(count);
    int[] places = new int[count];
    Arrays.setAll(places, i -> 1 + nAnswer + i);
    decode(
        Arrays.copyOfRange(ids, from, from + count),
        new Rows(places, places, 1 + nAnswer + count),
        nOutputs,
        flag);
    nAnswer += count;
  }

  private void decode(int[] ids, Rows rows, int nOutputs, CancellationFlag flag) {
    int nKeys = nKeys(rows.used);
    int[] keyPositions = new int[nKeys];
    Arrays.setAll(keyPositions, i -> i);
    float[] mask = AttentionMask.causal(ids.length, nKeys, rows.used - ids.length);
    run(ids, rows, keyPositions, mask, nOutputs, flag);
  }

  private int nKeys(int used) {
    return Math.min(nRows, Math.ceilDiv(used, KEYS) * KEYS);
  }

  @Override
  public void advance(int[] parents, int[] tokens, int position, CancellationFlag flag) {
    BeamRows now = beams;
    if (now == null) {
      now = new BeamRows(1);
      beams = now;
    }
    now.advance(parents);
    nAnswer++;
    int[] positions = new int[tokens.length];
    Arrays.fill(positions, nAnswer);
    int nKeys = nKeys(now.used());
    int[] keyPositions = now.steps(nKeys);
    for (int i = 1; i < nKeys; i++) {
      keyPositions[i]++; // behind the token that the decoder begins with
    }
    var rows = new Rows(now.places(), positions, now.used());
    run(tokens, rows, keyPositions, now.mask(nKeys), tokens.length, flag);
  }

  private void run(
      int[] ids, Rows rows, int[] keyPositions, float[] mask, int nOutputs, CancellationFlag flag) {
    int n = ids.length;
    int nKeys = keyPositions.length;
    int promptRows = nPrompt;
    if (nOutputs > outputs.length) {
      outputs = new float[nOutputs][graph.nVocab()];
    }
    Object key = List.of(state, "decode", n, nKeys, promptRows, nOutputs);
    try (GraphRun run =
        runner.start(key, inputs -> defineDecoder(inputs, n, nKeys, promptRows, nOutputs))) {
      run.set("ids", ids).set("places", rows.places).set("mask", mask);
      graph.setDistances(run, rows.positions, keyPositions);
      run.compute(flag);
      for (int i = 0; i < nOutputs; i++) {
        run.get("result", (long) i * graph.nVocab(), graph.nVocab(), outputs[i], 0);
      }
    }
  }

  private void defineDecoder(ModelGraph inputs, int n, int nKeys, int promptRows, int nOutputs) {
    Tensor x = graph.embed(inputs.indices("ids", n, graph.nVocab()));
    var cells =
        new EncoderDecoderGraph.Cells(
            own,
            inputs.indices("places", n, nRows),
            inputs.input("mask", nKeys, n),
            memory,
            promptRows);
    Tensor hidden = graph.decode(inputs, x, cells);
    int rows = Math.max(1, nOutputs);
    Tensor last = hidden.slice(new long[] {0, n - rows}, graph.width(), rows).contiguous();
    inputs.output("result", nOutputs == 0 ? last : graph.logits(last));
  }

  @Override
  public float[] logits(int i) {
    return outputs[i];
  }

  @Override
  public boolean removeFrom(int position) {
    if (position < nPrompt) {
      nPrompt = 0;
      nAnswer = 0;
    } else {
      nAnswer = Math.min(nAnswer, position - nPrompt);
    }
    return position == 0 || nPrompt > 0;
  }

  @Override
  public boolean hasPositionsBefore(int position) {
    return position == 0 || (nPrompt > 0 && position >= nPrompt && position <= nPrompt + nAnswer);
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
