package dev.ocellus.vlm.codes;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.vlm.nn.AttentionMask;
import dev.ocellus.vlm.nn.KvCache;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * A transformer that predicts codes or colours one after the other, each from a start token and
 * those before it. Ids are those of codes first, and of start tokens behind them.
 */
public interface PriorGraph {
  /** Codes or colours. */
  int nCodes();

  /** Start tokens: one, or one for each class. */
  int nStarts();

  /** The start token that stands for no class, from 0, with which guidance is possible. */
  default OptionalInt startOfNoClass() {
    return OptionalInt.empty();
  }

  /** Logits of each position; more than codes where start tokens are predicted too. */
  int nOutputs();

  /** Codes of an image. */
  int nPositions();

  int nLayers();

  /** Width of a head. */
  long headWidth();

  /** Heads of keys and values. */
  long nHead();

  /**
   * All layers and the last norm.
   *
   * @param ids [n · batch] from {@code indices}
   * @param positions [n] from {@code indices}, the same for every member of the batch
   * @param cache where keys and values are kept, and rows of it to attend to; null for none
   * @param mask for n queries
   * @return [width, n, batch]
   */
  Tensor forward(
      Tensor ids, Tensor positions, long batch, @Nullable Cached cache, AttentionMask mask);

  /** From [width, …] to [nOutputs, …]. */
  Tensor logits(Tensor hidden);

  /**
   * Where new rows go.
   *
   * @param places [n] rows of the cache
   */
  record Cached(KvCache cache, Tensor places) {}
}
