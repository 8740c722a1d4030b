package dev.ocellus.vlm.model.vq;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.WeightShapeException;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.codes.CodeHead;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.Embedding;
import dev.ocellus.vlm.nn.Linear;
import dev.ocellus.vlm.vision.ConfigReader;
import java.util.ArrayList;
import java.util.List;

/**
 * Janus' head over codes, and its embeddings of them with the aligner behind (arXiv:2410.13848).
 *
 * <p>The reference are {@code JanusVQVAEHead} and {@code JanusVQVAEAlignerMLP} of transformers.
 */
public final class JanusHead implements CodeHead {
  private static final int MAX_LAYERS = 64;
  private static final int MAX_PLACES = 1 << 16;

  private final int nPlaces;
  private final int width;
  private final Embedding embedding;
  private final List<Linear> aligner;
  private final Linear first;
  private final Linear last;
  private final Activation activation;

  private JanusHead(
      int nPlaces,
      int width,
      Embedding embedding,
      List<Linear> aligner,
      Linear first,
      Linear last,
      Activation activation) {
    this.nPlaces = nPlaces;
    this.width = width;
    this.embedding = embedding;
    this.aligner = aligner;
    this.first = first;
    this.last = last;
    this.activation = activation;
  }

  /** Weights {@code embd}, {@code aligner.N}, {@code head.0} and {@code head.1}. */
  public static JanusHead of(GgufMetadata metadata, Weights weights) {
    Weights w = weights.forFewRows();
    ConfigReader c = new ConfigReader(metadata, "vq.generation.");
    int nCodes = w.outputs("embd.weight");
    long narrow = w.shape("embd.weight")[0];
    List<Linear> aligner = new ArrayList<>();
    long n = narrow;
    do {
      Weights at = w.at("aligner").at(aligner.size());
      int next = at.outputs("weight");
      aligner.add(Linear.of(at, n, next));
      n = next;
    } while (aligner.size() < MAX_LAYERS && w.has("aligner.%d.weight".formatted(aligner.size())));
    int width = (int) w.shape("head.0.weight")[0];
    if (n != width) {
      throw new WeightShapeException(
          "%s: expected %d rows, as the text model is as wide, found %d"
              .formatted(w.name("aligner"), width, n));
    }
    int inner = w.outputs("head.0.weight");
    return new JanusHead(
        c.integer("code_count", 1, MAX_PLACES),
        width,
        Embedding.of(w.at("embd"), narrow, nCodes),
        List.copyOf(aligner),
        Linear.of(w.at("head").at(0), width, inner),
        Linear.of(w.at("head").at(1), inner, nCodes),
        c.activation(Activation.GELU));
  }

  @Override
  public int nPlaces() {
    return nPlaces;
  }

  @Override
  public int width() {
    return width;
  }

  @Override
  public Tensor logits(Tensor hidden) {
    return last.forward(activation.apply(first.forward(hidden)));
  }

  @Override
  public Tensor embed(Tensor codes) {
    Tensor x = aligner.getFirst().forward(embedding.forward(codes));
    for (Linear layer : aligner.subList(1, aligner.size())) {
      x = layer.forward(activation.apply(x));
    }
    return x;
  }
}
