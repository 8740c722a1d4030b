package dev.ocellus.vlm.generation;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.ggml.PersistentTensors;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.vlm.codes.PriorGraph;
import dev.ocellus.vlm.graph.GraphRun;
import dev.ocellus.vlm.graph.ModelGraph;
import dev.ocellus.vlm.nn.AttentionMask;
import dev.ocellus.vlm.nn.KvCache;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** Runs a {@link PriorGraph}: over whole images for their likelihood, or code by code. */
final class PriorRunner {
  /** Keys are rounded up to a multiple of this, so that one graph serves many codes. */
  private static final int KEYS = 64;

  private static final String IDS = "ids";
  private static final String PLACES = "places";
  private static final String POSITIONS = "positions";
  private static final String MASK = "mask";
  private static final String LOGITS = "logits";

  private final Graphs<?> graphs;
  private final PriorGraph prior;

  PriorRunner(Graphs<?> graphs, PriorGraph prior) {
    this.graphs = graphs;
    this.prior = prior;
  }

  /**
   * Logits at every position of an image.
   *
   * @param start which start token, from 0
   * @return a row of {@link PriorGraph#nOutputs} for each code
   */
  float[] logits(int start, int[] codes, CancellationFlag flag) {
    int n = codes.length;
    int[] ids = new int[n];
    ids[0] = prior.nCodes() + start;
    System.arraycopy(codes, 0, ids, 1, n - 1);
    try (GraphRun run = graphs.start(List.of("score", n), "an image", g -> whole(g, n))) {
      float[] logits = run.set(IDS, ids).compute(flag).get(LOGITS);
      graphs.requireFinite(logits, "a logit");
      return logits;
    }
  }

  private void whole(ModelGraph g, int n) {
    int[] positions = IntStream.range(0, n).toArray();
    Tensor at = g.indexTable(POSITIONS, positions, prior.nPositions());
    AttentionMask mask = AttentionMask.of(g.table(MASK, AttentionMask.causal(n), n, n));
    g.output(LOGITS, prior.logits(prior.forward(ids(g, n), at, 1, null, mask)));
  }

  private Tensor ids(ModelGraph g, int n) {
    return g.indices(IDS, n, (long) prior.nCodes() + prior.nStarts());
  }

  /** The likelihood of codes. */
  ImageScore score(int start, int[] codes, CancellationFlag flag) {
    float[] logits = logits(start, codes, flag);
    int row = prior.nOutputs();
    double[] terms = new double[codes.length];
    for (int i = 0; i < terms.length; i++) {
      terms[i] = logits[i * row + codes[i]] - LogSoftmax.logSum(logits, i * row, row);
    }
    return ImageScore.of(terms);
  }

  /**
   * Draws the rest of some images, all in one batch; with guidance, where the prior has a start for
   * no class, each beside its twin that begins with that.
   *
   * @param starts a start token for each image
   * @param given codes that all of them begin with
   * @return the codes of each image
   */
  int[][] draw(
      int[] starts,
      int[] given,
      DrawOptions options,
      DrawOptions.Listener listener,
      CancellationFlag flag) {
    boolean guided = options.guidance() != 1 && prior.startOfNoClass().isPresent();
    int count = starts.length;
    int batch = guided ? 2 * count : count;
    int n = prior.nPositions();
    int[][] images = new int[count][];
    CodeSampler[] samplers = new CodeSampler[count];
    for (int i = 0; i < count; i++) {
      images[i] = Arrays.copyOf(given, n);
      samplers[i] = new CodeSampler(options, i);
    }
    try (PersistentTensors state = graphs.runner().newPersistentTensors()) {
      KvCache cache =
          KvCache.create(state, prior.nLayers(), prior.headWidth(), prior.nHead(), n, batch);
      state.allocate();
      int past = 0;
      for (int at = given.length; at < n; at++) {
        float[] logits = step(state, cache, starts, images, batch, past, at + 1 - past, flag);
        past = at + 1;
        for (int i = 0; i < count; i++) {
          images[i][at] =
              guided
                  ? samplers[i].next(
                      guided(logits, i, count, options.guidance()), 0, prior.nCodes())
                  : samplers[i].next(logits, i * prior.nOutputs(), prior.nCodes());
        }
        listener.drawn(at + 1, n, () -> copies(images));
      }
    }
    return images;
  }

  /** Of a sequence of the batch; those behind the images are the twins. */
  private int start(int[] starts, int sequence) {
    int start = sequence < starts.length ? starts[sequence] : prior.startOfNoClass().orElseThrow();
    return prior.nCodes() + start;
  }

  private float[] guided(float[] logits, int image, int count, double guidance) {
    int row = prior.nOutputs();
    return Guidance.of(logits, image * row, (count + image) * row, prior.nCodes(), guidance);
  }

  static List<int[]> copies(int[][] images) {
    return Arrays.stream(images).map(int[]::clone).toList();
  }

  /** Computes {@code count} positions from {@code past} on; logits after the last of them. */
  private float[] step(
      PersistentTensors state,
      KvCache cache,
      int[] starts,
      int[][] images,
      int batch,
      int past,
      int count,
      CancellationFlag flag) {
    int nKeys = Math.min(prior.nPositions(), Math.ceilDiv(past + count, KEYS) * KEYS);
    int[] ids = new int[count * batch];
    for (int i = 0; i < batch; i++) {
      for (int j = 0; j < count; j++) {
        int at = past + j;
        ids[i * count + j] = at == 0 ? start(starts, i) : images[i % images.length][at - 1];
      }
    }
    int[] places = IntStream.range(past, past + count).toArray();
    try (GraphRun run =
        graphs
            .runner()
            .start(
                List.of(state, count, nKeys, batch), g -> cached(g, cache, count, nKeys, batch))) {
      run.set(IDS, ids).set(PLACES, places).set(POSITIONS, places);
      run.set(MASK, AttentionMask.causal(count, nKeys, past));
      float[] logits = run.compute(flag).get(LOGITS);
      graphs.requireFinite(logits, "a logit");
      return logits;
    }
  }

  private void cached(ModelGraph g, KvCache cache, int count, int nKeys, int batch) {
    Tensor at = g.indices(POSITIONS, count, prior.nPositions());
    Tensor places = g.indices(PLACES, count, cache.nCtx());
    AttentionMask mask = AttentionMask.of(g.input(MASK, nKeys, count));
    Tensor hidden =
        prior.forward(ids(g, count * batch), at, batch, new PriorGraph.Cached(cache, places), mask);
    Tensor last = hidden.slice(new long[] {0, count - 1}, hidden.size(0), 1, batch).contiguous();
    g.output(LOGITS, prior.logits(last));
  }
}
