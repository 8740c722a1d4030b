package dev.ocellus.vlm.nn;

import dev.ocellus.ggml.ExpertProducts;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;

/**
 * Gated feed-forward blocks of which every row goes through the few that score best, each fed with
 * the row times the sigmoid of its score, and beside them through one that all rows share: Llama
 * 4's mixture of experts.
 */
public final class ScoredExperts {
  private final Linear router;
  private final Tensor gate;
  private final Tensor up;
  private final Tensor down;
  private final GatedMlp shared;
  private final int nUsed;

  private ScoredExperts(
      Linear router, Tensor gate, Tensor up, Tensor down, GatedMlp shared, int nUsed) {
    this.router = router;
    this.gate = gate;
    this.up = up;
    this.down = down;
    this.shared = shared;
    this.nUsed = nUsed;
  }

  /**
   * Weights {@code ffn_gate_inp} [nEmbd, nExpert]; {@code ffn_gate_exps} and {@code ffn_up_exps},
   * both [nEmbd, nFf, nExpert], and {@code ffn_down_exps} [nFf, nEmbd, nExpert]; {@code
   * ffn_gate_shexp}, {@code ffn_up_shexp}, {@code ffn_down_shexp} as of one expert.
   *
   * @param nUsed experts of a row
   */
  public static ScoredExperts of(Weights w, long nEmbd, long nFf, long nExpert, int nUsed) {
    return new ScoredExperts(
        Linear.of(w.at("ffn_gate_inp"), nEmbd, nExpert),
        matrices(w, "ffn_gate_exps.weight", nEmbd, nFf, nExpert),
        matrices(w, "ffn_up_exps.weight", nEmbd, nFf, nExpert),
        matrices(w, "ffn_down_exps.weight", nFf, nEmbd, nExpert),
        new GatedMlp(
            Linear.of(w.at("ffn_gate_shexp"), nEmbd, nFf),
            Linear.of(w.at("ffn_up_shexp"), nEmbd, nFf),
            Activation.SILU,
            Linear.of(w.at("ffn_down_shexp"), nFf, nEmbd)),
        nUsed);
  }

  /** Halves are widened when they are loaded where products are to be exact, as of one matrix. */
  private static Tensor matrices(Weights w, String name, long nIn, long nOut, long n) {
    boolean half = w.has(name) && w.type(name).isHalf();
    return half && w.widensMatrices() ? w.f32(name, nIn, nOut, n) : w.get(name, nIn, nOut, n);
  }

  /** From [nEmbd, n] to the same shape. */
  public Tensor forward(Tensor x) {
    Tensor scores = router.forward(x).contiguous(); // [nExpert, n]
    long n = x.size(1);
    Tensor chosen = ExpertProducts.largest(scores, nUsed);
    Tensor weights = scores.reshape(1, scores.size(0), n).getRows(chosen).sigmoid();
    Tensor rows = x.reshape(x.size(0), 1, n).repeat(x.size(0), nUsed, n).mul(weights);
    Tensor inside =
        ExpertProducts.mulMat(rows, gate, chosen)
            .silu()
            .mul(ExpertProducts.mulMat(rows, up, chosen));
    Tensor outs = ExpertProducts.mulMat(inside, down, chosen); // [nEmbd, nUsed, n]
    Tensor sum = shared.forward(x);
    for (int i = 0; i < nUsed; i++) {
      Tensor one = outs.slice(new long[] {0, i}, x.size(0), 1, n).contiguous();
      sum = sum.add(one.reshape(x.size(0), n));
    }
    return sum;
  }
}
