package dev.ocellus.vlm.nn;

import dev.ocellus.ggml.PersistentTensors;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.gguf.TensorType;
import java.util.ArrayList;
import java.util.List;

/**
 * Keys and values of the positions that a decoder has computed, which outlive a run: each layer
 * holds nCtx rows, and every run writes some of them. Which rows are filled is the caller's to
 * know: masks hide the others, and a position that is computed again takes its row anew.
 *
 * <p>A graph depends on the cache and on the number of new rows and of keys that it attends to, so
 * these belong into its key. Where they are goes in as an input:
 *
 * <pre>{@code
 * PersistentTensors state = runner.newPersistentTensors();
 * KvCache cache = KvCache.create(state, nLayers, dHead, nHead, 512, 1);
 * state.allocate();
 *
 * runner.start(List.of(state, n, nKeys), graph -> {
 *   Tensor x = embedding.forward(graph.indices("ids", n, nVocab));
 *   Tensor places = graph.indices("places", n, 512);
 *   AttentionMask mask = AttentionMask.of(graph.input("mask", nKeys, n));
 *   for (int i = 0; i < nLayers; i++) {
 *     x = x.add(attention[i].forward(norm[i].forward(x), cache.layer(i), places, mask));
 *   }
 *   graph.output("hidden", x);
 * });
 * }</pre>
 *
 * <p>with {@code AttentionMask.causal(n, nKeys, nPast)} as the mask. Rounding nKeys up, to a
 * multiple of 64 for instance, lets one graph serve many tokens.
 */
public final class KvCache {
  private final List<Layer> layers;
  private final long nCtx;

  private KvCache(List<Layer> layers, long nCtx) {
    this.layers = layers;
    this.nCtx = nCtx;
  }

  /**
   * A cache in F32 whose tensors are added to {@code state}, which is to be allocated afterwards.
   *
   * @param dHead width of a head
   * @param nHead heads of keys and values
   * @param nCtx most positions
   * @param batch sequences that are computed together
   */
  public static KvCache create(
      PersistentTensors state, int nLayers, long dHead, long nHead, long nCtx, long batch) {
    return create(state, nLayers, dHead, nHead, nCtx, batch, "cache");
  }

  /**
   * The same under a name, for a second cache beside one.
   *
   * @param name what its tensors' names begin with
   */
  public static KvCache create(
      PersistentTensors state,
      int nLayers,
      long dHead,
      long nHead,
      long nCtx,
      long batch,
      String name) {
    List<Layer> layers = new ArrayList<>();
    for (int i = 0; i < nLayers; i++) {
      Tensor keys = state.create(name + ".k." + i, TensorType.F32, dHead * nHead, nCtx, batch);
      Tensor values = state.create(name + ".v." + i, TensorType.F32, dHead * nHead, nCtx, batch);
      layers.add(new Layer(keys, values, dHead));
    }
    return new KvCache(List.copyOf(layers), nCtx);
  }

  /** Most positions. */
  public long nCtx() {
    return nCtx;
  }

  /** The rows of a layer. */
  public Layer layer(int index) {
    return layers.get(index);
  }

  /** The cache of one layer. */
  public static final class Layer {
    private final Tensor keys;
    private final Tensor values;
    private final long dHead;

    private Layer(Tensor keys, Tensor values, long dHead) {
      this.keys = keys;
      this.values = values;
      this.dHead = dHead;
    }

    /**
     * Writes rows and gives out the first {@code nKeys} rows as they are afterwards.
     *
     * @param key [dHead · nHead, n, batch]
     * @param value [dHead · nHead, n, batch]
     * @param places [n] numbers of the rows, the same for every member of the batch
     */
    public KeysValues append(Tensor key, Tensor value, Tensor places, long nKeys) {
      return new KeysValues(
          heads(key.copyRowsTo(keys, places), nKeys),
          heads(value.copyRowsTo(values, places), nKeys));
    }

    /**
     * The first {@code nKeys} rows as earlier runs have left them.
     *
     * @param x any tensor of the graph
     */
    public KeysValues read(Tensor x, long nKeys) {
      return new KeysValues(heads(keys.inGraphOf(x), nKeys), heads(values.inGraphOf(x), nKeys));
    }

    private Tensor heads(Tensor cache, long nKeys) {
      long nHead = cache.size(0) / dHead;
      return cache
          .reshape(dHead, nHead, cache.size(1), cache.size(2))
          .slice(new long[] {}, dHead, nHead, nKeys, cache.size(2))
          .permute(0, 2, 1, 3);
    }
  }
}
