package dev.ocellus.vlm.model.text;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.vlm.decode.CrossDecoderGraph;
import dev.ocellus.vlm.decode.DecoderGraph;
import dev.ocellus.vlm.graph.GraphRun;
import dev.ocellus.vlm.graph.ModelGraph;
import dev.ocellus.vlm.model.tower.QLlama;
import dev.ocellus.vlm.nn.AttentionMask;
import dev.ocellus.vlm.nn.KeysValues;
import dev.ocellus.vlm.nn.KvCache;
import dev.ocellus.vlm.nn.Linear;
import dev.ocellus.vlm.nn.Rope2d;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * QLLaMA as a decoder (arXiv:2312.14238): learned queries stand in front of the text, attend to
 * each other and, in some layers, to the states of an image; the text attends to the queries and to
 * itself, causally. As no query attends to the text, their keys and values are computed once.
 * Weights under {@code t.}: {@code query} and {@code output}, and those of {@link QLlama}.
 *
 * <p>The reference is {@code InternVLModel.generate} of <a
 * href="https://github.com/OpenGVLab/InternVL/blob/v1.0/clip_benchmark/clip_benchmark/models/internvl_huggingface/modeling_internvl.py">modeling_internvl.py</a>
 * with {@code use_zero_attention_mask}, and {@code LlamaModel.forward} of modeling_qllama.py beside
 * it.
 */
public final class QLlamaDecoder implements CrossDecoderGraph {
  private static final String COS = "rope.cos";
  private static final String SIN = "rope.sin";

  private final QLlama language;
  private final Tensor queries;
  private final Linear output;
  private final int nStates;
  private final int nCtx;

  private QLlamaDecoder(QLlama language, Tensor queries, Linear output, int nStates, int nCtx) {
    this.language = language;
    this.queries = queries;
    this.output = output;
    this.nStates = nStates;
    this.nCtx = nCtx;
  }

  /**
   * Binds the weights.
   *
   * @param w those under {@code t.}
   * @param nStates width of the states of an image
   * @param nCtx most tokens of a text
   * @throws dev.ocellus.compute.GgmlException if weights are missing or have another shape
   */
  public static QLlamaDecoder of(QLlama language, Weights w, int nStates, int nCtx) {
    int width = language.width();
    return new QLlamaDecoder(
        language,
        w.f32("query", width, w.outputs("query")),
        Linear.of(w.at("output"), width, language.nTokens()),
        nStates,
        nCtx);
  }

  @Override
  public int nLayers() {
    return language.nLayers();
  }

  @Override
  public int headWidth() {
    return language.headWidth();
  }

  @Override
  public int nHeadKv() {
    return language.nHead();
  }

  @Override
  public int statesWidth() {
    return nStates;
  }

  private int nQueries() {
    return Math.toIntExact(queries.size(1));
  }

  @Override
  public int nRemembered(int nStates) {
    return nQueries();
  }

  @Override
  public List<KeysValues> remember(ModelGraph graph, Tensor states, KvCache cache, Tensor places) {
    List<KeysValues> kept = new ArrayList<>();
    Tensor rows = states.reshape(nStates, states.size(1), 1);
    Tensor x = queries.inGraphOf(states).reshape(language.width(), nQueries(), 1);
    language.forward(
        graph::table,
        x,
        null,
        new QLlama.Image(rows, nQueries()),
        (layer, keys, values) -> {
          KeysValues own = cache.layer(layer).append(keys, values, places, nQueries());
          kept.add(own);
          return own;
        });
    return kept;
  }

  @Override
  public DecoderGraph over(KvCache states, int n) {
    return new Over(states);
  }

  /** A text behind the queries whose keys and values a cache holds. */
  private final class Over implements DecoderGraph {
    private final KvCache front;

    Over(KvCache front) {
      this.front = front;
    }

    @Override
    public int nVocab() {
      return language.nTokens();
    }

    @Override
    public int width() {
      return language.width();
    }

    @Override
    public int nCtxTrain() {
      return nCtx;
    }

    @Override
    public int nLayers() {
      return QLlamaDecoder.this.nLayers();
    }

    @Override
    public int headWidth() {
      return QLlamaDecoder.this.headWidth();
    }

    @Override
    public int nHeadKv() {
      return QLlamaDecoder.this.nHeadKv();
    }

    @Override
    public String description() {
      return "qllama, %d layers of %d, as a graph".formatted(nLayers(), width());
    }

    @Override
    public Tensor embed(Tensor ids) {
      return language.embed(ids);
    }

    @Override
    public Tensor forward(
        ModelGraph graph, Tensor x, KvCache cache, Tensor places, AttentionMask mask) {
      long n = x.size(1);
      var rope =
          new Rope2d(graph.input(COS, headWidth(), 1, n), graph.input(SIN, headWidth(), 1, n));
      float[] seen = new float[Math.toIntExact(nQueries() * n)];
      AttentionMask all = mask.behind(graph.table("queries.mask", seen, nQueries(), n));
      Tensor states =
          language.forward(
              x.reshape(width(), n, 1),
              rope,
              all,
              null,
              (layer, keys, values) ->
                  front
                      .layer(layer)
                      .read(x, nQueries())
                      .then(cache.layer(layer).append(keys, values, places, mask.nKeys())));
      return states.reshape(width(), n);
    }

    @Override
    public Tensor logits(Tensor hidden) {
      return output.forward(hidden);
    }

    @Override
    public void setPositions(GraphRun run, int[] positions) {
      int[] behind = Arrays.stream(positions).map(at -> nQueries() + at).toArray();
      Rope2d.Tables turns = language.turns(behind);
      run.set(COS, turns.cos()).set(SIN, turns.sin());
    }
  }
}
