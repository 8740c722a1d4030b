package dev.ocellus.vlm.model.vq;

import dev.ocellus.ggml.ConvGeometry;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.WeightShapeException;
import dev.ocellus.ggml.Weights;
import dev.ocellus.vlm.codes.MapBudget;
import dev.ocellus.vlm.codes.VqGraph;
import dev.ocellus.vlm.nn.Conv2d;
import org.jspecify.annotations.Nullable;

/**
 * VQGAN (arXiv:2012.09841), as taming-transformers, Chameleon (arXiv:2405.09818) and Janus
 * (arXiv:2410.13848) have it: the encoder, a convolution of 1 by 1 to the width of the codebook,
 * and the same back. Chameleon's class of transformers has no decoder, though its checkpoints hold
 * the convolution before it.
 *
 * <p>References: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/chameleon/modeling_chameleon.py">modeling_chameleon.py</a>
 * and <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/janus/modeling_janus.py">modeling_janus.py</a>.
 */
public final class Vqgan implements VqGraph {
  private final VqganEncoder encoder;
  private final Conv2d before;
  private final Codebook codebook;
  private final @Nullable Conv2d behind;
  private final @Nullable VqganDecoder decoder;

  private Vqgan(
      VqganEncoder encoder,
      Conv2d before,
      Codebook codebook,
      @Nullable Conv2d behind,
      @Nullable VqganDecoder decoder) {
    this.encoder = encoder;
    this.before = before;
    this.codebook = codebook;
    this.behind = behind;
    this.decoder = decoder;
  }

  /**
   * Weights {@code enc}, {@code quant_conv}, {@code codebook} and, where there is one, {@code
   * post_quant_conv} and {@code dec}.
   *
   * @param width of the codebook
   * @param count entries of the codebook
   * @param unitSearch whether vectors are compared at unit length
   * @param unitLookup whether the decoder takes entries at unit length
   */
  public static Vqgan of(Weights w, int width, int count, boolean unitSearch, boolean unitLookup) {
    VqganEncoder encoder = VqganEncoder.of(w.at("enc"));
    Conv2d before = conv1(w.at("quant_conv"), encoder.nOut(), width);
    Codebook codebook = Codebook.of(w, width, count, unitSearch, unitLookup);
    if (!w.has("dec.conv_in.weight")) {
      return new Vqgan(encoder, before, codebook, null, null);
    }
    VqganDecoder decoder = VqganDecoder.of(w.at("dec"));
    if (decoder.factor() != encoder.factor()) {
      throw new WeightShapeException(
          "%s: expected as many levels as the encoder, which has a factor of %d, found %d"
              .formatted(w.name("dec.up"), encoder.factor(), decoder.factor()));
    }
    return new Vqgan(
        encoder, before, codebook, conv1(w.at("post_quant_conv"), width, decoder.nIn()), decoder);
  }

  private static Conv2d conv1(Weights w, int nIn, int nOut) {
    return Conv2d.of(w, 1, nIn, nOut, ConvGeometry.of(1, 0));
  }

  @Override
  public int nCodes() {
    return codebook.count();
  }

  @Override
  public int factor() {
    return encoder.factor();
  }

  @Override
  public boolean decodes() {
    return decoder != null;
  }

  @Override
  public Tensor latents(Tensor pixels, MapBudget budget) {
    return before.forward(encoder.forward(pixels, budget)).named("encoder.out");
  }

  @Override
  public Tensor quantize(Tensor latents) {
    return codebook.nearest(latents);
  }

  @Override
  public Tensor lengths(Tensor latents) {
    return codebook.lengthsFor(latents);
  }

  @Override
  public Tensor decode(Tensor codes, int width, int height, int batch, MapBudget budget) {
    if (decoder == null || behind == null) {
      throw new IllegalStateException("this model has no decoder");
    }
    return decoder.forward(behind.forward(codebook.lookup(codes, width, height, batch)), budget);
  }
}
