package dev.ocellus.vlm.model.vq;

import dev.ocellus.ggml.ConvGeometry;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.vlm.codes.MapBudget;
import dev.ocellus.vlm.codes.VqGraph;
import dev.ocellus.vlm.nn.Conv2d;
import dev.ocellus.vlm.nn.ConvTranspose2d;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;

/**
 * VQ-VAE (arXiv:1711.00937): strided convolutions of 4 by 4, residual blocks, the nearest entry of
 * a codebook, and the way back with transposed convolutions. There is no published layout, so the
 * names are ours (docs/gguf.md); docs/demo-model/train_images.py is the same model in PyTorch.
 */
public final class VqVae implements VqGraph {
  private static final int MAX_PARTS = 64;

  /** {@code x + conv2(relu(conv1(relu(x))))}. */
  private record Residual(Conv2d conv1, Conv2d conv2) {
    static Residual of(Weights w, int n) {
      int inner = Maps.outputs(w.at("conv1"));
      return new Residual(
          Maps.conv3(w.at("conv1"), n, inner),
          Conv2d.of(w.at("conv2"), 1, inner, n, ConvGeometry.of(1, 0)));
    }

    Tensor forward(Tensor x) {
      return x.add(conv2.forward(conv1.forward(x.relu()).relu()));
    }
  }

  private final List<Conv2d> down = new ArrayList<>();
  private final Conv2d mid;
  private final List<Residual> encoding;
  private final Conv2d out;
  private final Codebook codebook;
  private final Conv2d in;
  private final List<Residual> decoding;
  private final List<ConvTranspose2d> up = new ArrayList<>();

  private VqVae(Weights w, int width, int count) {
    Weights enc = w.at("enc");
    int n = 3;
    while (down.size() < MAX_PARTS && enc.has("down.%d.weight".formatted(down.size()))) {
      Weights at = enc.at("down").at(down.size());
      int next = Maps.outputs(at);
      down.add(Conv2d.of(at, 4, n, next, ConvGeometry.of(2, 1)));
      n = next;
    }
    int encoded = n;
    mid = Maps.conv3(enc.at("mid"), encoded, encoded);
    encoding = residuals(enc, encoded);
    out = conv1(enc.at("out"), encoded, width);
    codebook = Codebook.of(w, width, count, false, false);
    Weights dec = w.at("dec");
    n = Maps.outputs(dec.at("in"));
    in = Maps.conv3(dec.at("in"), width, n);
    decoding = residuals(dec, n);
    for (int i = 0; i < down.size(); i++) {
      Weights at = dec.at("up").at(i);
      int next = i + 1 == down.size() ? 3 : Maps.inputs(at); // [4, 4, nOut, nIn]
      up.add(ConvTranspose2d.of(at, 4, n, next, 2, 1));
      n = next;
    }
  }

  private static List<Residual> residuals(Weights w, int n) {
    IntFunction<Weights> at = i -> w.at("res").at(i);
    List<Residual> all = new ArrayList<>();
    while (all.size() < MAX_PARTS && at.apply(all.size()).has("conv1.weight")) {
      all.add(Residual.of(at.apply(all.size()), n));
    }
    return all;
  }

  private static Conv2d conv1(Weights w, int nIn, int nOut) {
    return Conv2d.of(w, 1, nIn, nOut, ConvGeometry.of(1, 0));
  }

  /** Weights {@code enc}, {@code codebook} and {@code dec}. */
  public static VqVae of(Weights w, int width, int count) {
    return new VqVae(w, width, count);
  }

  @Override
  public int nCodes() {
    return codebook.count();
  }

  @Override
  public int factor() {
    return 1 << down.size();
  }

  @Override
  public boolean decodes() {
    return true;
  }

  @Override
  public Tensor latents(Tensor pixels, MapBudget budget) {
    Tensor x = pixels;
    for (Conv2d conv : down) {
      x = conv.forward(x).relu();
    }
    x = mid.forward(x);
    for (Residual block : encoding) {
      x = block.forward(x);
    }
    return out.forward(x.relu()).named("encoder.out");
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
    Tensor x = in.forward(codebook.lookup(codes, width, height, batch));
    for (Residual block : decoding) {
      x = block.forward(x);
    }
    x = x.relu();
    for (int i = 0; i < up.size(); i++) {
      x = up.get(i).forward(x);
      x = i + 1 < up.size() ? x.relu() : x;
    }
    return x;
  }
}
