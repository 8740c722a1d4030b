package dev.ocellus.vlm.decode;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.ggml.PersistentTensors;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.vlm.graph.GraphRun;
import dev.ocellus.vlm.graph.GraphRunner;
import dev.ocellus.vlm.graph.ModelGraph;
import dev.ocellus.vlm.nn.AttentionMask;
import dev.ocellus.vlm.nn.KvCache;
import dev.ocellus.vlm.vision.EncodedImage;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A text and its images before a {@link CrossTextGraph}.
 *
 * <p>In the reference, text in front of the first image attends to the states of all of them, so
 * nothing can be computed before all images of a prompt are known, and another image changes
 * everything. So tokens are only written down until somebody asks for logits.
 */
final class CrossTextSequence implements KvSequence {
  /** Keys are rounded up to a multiple of this, so that one graph serves many tokens. */
  private static final int KEYS = 64;

  /**
   * An image of the text.
   *
   * @param position of its token
   * @param nTiles that it has
   * @param states of all tiles
   */
  private record Image(int position, int nTiles, float[] states) {}

  private final GraphRunner runner;
  private final CrossTextGraph graph;
  private final int nCtx;
  private final int nUbatch;
  private final PersistentTensors state;
  private final KvCache own;
  private final int[] ids;
  private final List<Image> images = new ArrayList<>();
  private int size;
  private int computed;
  private @Nullable PersistentTensors imageState;
  private @Nullable KvCache cross;
  private boolean imagesChanged;
  private float[][] outputs = {};

  CrossTextSequence(GraphRunner runner, CrossTextGraph graph, int nCtx, int nUbatch) {
    this.runner = runner;
    this.graph = graph;
    this.nCtx = nCtx;
    this.nUbatch = nUbatch;
    this.ids = new int[nCtx];
    this.state = runner.newPersistentTensors();
    try {
      own = KvCache.create(state, graph.nLayers(), graph.headWidth(), graph.nHeadKv(), nCtx, 1);
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
    return nUbatch;
  }

  @Override
  public void decodeTokens(
      int[] tokens, int from, int count, int position, int nOutputs, CancellationFlag flag) {
    append(position, count);
    System.arraycopy(tokens, from, ids, size, count);
    size += count;
    compute(nOutputs, flag);
  }

  @Override
  public void decodeEmbeddings(
      EncodedImage image,
      int from,
      int[][] positions,
      boolean causal,
      boolean wantsLogits,
      CancellationFlag flag) {
    int length = graph.nTiles() * graph.nStates() * graph.width();
    if (positions.length != 1 || image.width() != length + 1) {
      throw new IllegalArgumentException(
          "image: expected one embedding of %d floats, found %d of %d"
              .formatted(length + 1, positions.length, image.width()));
    }
    append(positions[0][0], 1);
    int start = from * image.width();
    float[] states = Arrays.copyOfRange(image.values(), start, start + length);
    int nTiles = Math.clamp(Math.round(image.values()[start + length]), 1, graph.nTiles());
    images.add(new Image(size, nTiles, states));
    imagesChanged = true;
    ids[size++] = graph.imageToken();
    compute(wantsLogits ? 1 : 0, flag);
  }

  private void append(int position, int count) {
    SequenceRoom.requireNext(position, size);
    SequenceRoom.require(size, count, nCtx);
  }

  /** Computes what was written down, if somebody asks for logits. */
  private void compute(int nOutputs, CancellationFlag flag) {
    if (nOutputs == 0) {
      return;
    }
    try {
      if (imagesChanged) {
        computed = 0;
        rememberImages(flag);
        imagesChanged = false;
      }
      computed = Math.min(computed, size - nOutputs);
      if (outputs.length < nOutputs) {
        outputs = new float[nOutputs][graph.nTokens()];
      }
      while (computed < size) {
        int n = Math.min(nUbatch, size - computed);
        int first = Math.max(0, computed - (size - nOutputs));
        int last = Math.max(0, computed + n - (size - nOutputs));
        run(computed, n, first, last - first, flag);
        computed += n;
      }
    } catch (Throwable e) {
      size = Math.min(size, computed); // what is not there was not decoded
      removeImages();
      throw e;
    }
  }

  private void rememberImages(CancellationFlag flag) {
    if (imageState != null) {
      imageState.close();
      imageState = null;
      cross = null;
    }
    if (images.isEmpty()) {
      return;
    }
    int perImage = graph.nTiles() * graph.nStates();
    int rows = Math.multiplyExact(perImage, images.size());
    PersistentTensors made = runner.newPersistentTensors();
    imageState = made;
    KvCache cache =
        KvCache.create(
            made, graph.nCrossLayers(), graph.headWidth(), graph.nHeadKv(), rows, 1, "images");
    made.allocate();
    cross = cache;
    int[] places = new int[perImage];
    for (int i = 0; i < images.size(); i++) {
      int first = i * perImage;
      Arrays.setAll(places, row -> first + row);
      try (GraphRun run =
          runner.start(
              List.of(made, "images"),
              inputs -> {
                Tensor states = inputs.input("states", graph.width(), perImage);
                graph.remember(states, cache, inputs.indices("places", perImage, rows));
                inputs.output("states", states.scale(1));
              })) {
        run.set("states", images.get(i).states).set("places", places).compute(flag);
      }
    }
  }

  private void run(int from, int n, int firstOutput, int nOutputs, CancellationFlag flag) {
    int nKeys = Math.min(nCtx, Math.ceilDiv(from + n, KEYS) * KEYS);
    int nImages = images.size();
    Object key = List.of(state, imageState == null ? "text" : imageState, n, nKeys, nOutputs);
    int[] at = new int[n];
    Arrays.setAll(at, i -> from + i);
    try (GraphRun run = runner.start(key, inputs -> define(inputs, n, nKeys, nOutputs))) {
      run.set("ids", Arrays.copyOfRange(ids, from, from + n))
          .set("places", at)
          .set("mask", AttentionMask.causal(n, nKeys, from));
      if (nImages > 0) {
        setImages(run, from, n);
      }
      graph.setPositions(run, at);
      run.compute(flag);
      for (int i = 0; i < nOutputs; i++) {
        float[] to = outputs[firstOutput + i];
        run.get("result", (long) i * graph.nVocab(), graph.nVocab(), to, 0);
        // tokens that are only read are never written
        Arrays.fill(to, graph.nVocab(), to.length, Float.NEGATIVE_INFINITY);
      }
    }
  }

  private void define(ModelGraph inputs, int n, int nKeys, int nOutputs) {
    Tensor x = graph.embed(inputs.indices("ids", n, graph.nTokens()));
    Tensor places = inputs.indices("places", n, nCtx);
    AttentionMask mask = AttentionMask.of(inputs.input("mask", nKeys, n));
    KvCache seen = cross;
    CrossTextGraph.Images attended =
        seen == null
            ? null
            : new CrossTextGraph.Images(
                seen,
                AttentionMask.of(inputs.input("image mask", seen.nCtx(), n)),
                inputs.input("attends", 1, n));
    Tensor hidden = graph.forward(inputs, x, own, places, mask, attended);
    int rows = Math.max(1, nOutputs);
    Tensor last = hidden.slice(new long[] {0, n - rows}, graph.width(), rows).contiguous();
    inputs.output("result", nOutputs == 0 ? last : graph.logits(last));
  }

  /**
   * What each row attends to: its images' tiles, or everything where it stands before the first.
   */
  private void setImages(GraphRun run, int from, int n) {
    int perTile = graph.nStates();
    int perImage = graph.nTiles() * perTile;
    int rows = perImage * images.size();
    int[] ends = ends();
    float[] mask = new float[Math.multiplyExact(rows, n)];
    float[] attends = new float[n];
    for (int i = 0; i < n; i++) {
      int position = from + i;
      for (int j = 0; j < images.size(); j++) {
        boolean attended = images.get(j).position <= position && position < ends[j];
        attends[i] = attended ? 1 : attends[i];
      }
      for (int j = 0; j < images.size() && attends[i] == 1; j++) {
        boolean attended = images.get(j).position <= position && position < ends[j];
        int visible = attended ? images.get(j).nTiles * perTile : 0;
        int start = i * rows + j * perImage;
        Arrays.fill(mask, start + visible, start + perImage, Float.NEGATIVE_INFINITY);
      }
    }
    run.set("image mask", mask).set("attends", attends);
  }

  /**
   * Where the text that attends to an image ends: at the next one, but for images that follow each
   * other, which are attended to together ({@code get_cross_attention_token_mask} of the
   * reference).
   */
  private int[] ends() {
    int[] ends = new int[images.size()];
    for (int i = ends.length - 1; i >= 0; i--) {
      boolean last = i == ends.length - 1;
      ends[i] = last ? Integer.MAX_VALUE : images.get(i + 1).position;
      if (!last && ends[i] == images.get(i).position + 1) {
        ends[i] = ends[i + 1];
      }
    }
    return ends;
  }

  @Override
  public float[] logits(int i) {
    return outputs[i];
  }

  @Override
  public boolean removeFrom(int position) {
    size = Math.min(size, position);
    computed = Math.min(computed, size);
    removeImages();
    return true;
  }

  private void removeImages() {
    if (images.removeIf(image -> image.position >= size)) {
      imagesChanged = true;
    }
  }

  @Override
  public boolean hasPositionsBefore(int position) {
    return position <= size;
  }

  @Override
  public boolean isClosed() {
    return state.isClosed();
  }

  @Override
  public void close() {
    if (imageState != null) {
      imageState.close();
    }
    state.close();
  }
}
