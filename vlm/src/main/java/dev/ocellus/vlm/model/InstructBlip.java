package dev.ocellus.vlm.model;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.graph.ModelGraph;
import dev.ocellus.vlm.model.tower.BlipTower;
import dev.ocellus.vlm.model.tower.QFormer;
import dev.ocellus.vlm.model.tower.TowerConfig;
import dev.ocellus.vlm.nn.Linear;
import dev.ocellus.vlm.tokenizer.WordPieceTokenizer;
import dev.ocellus.vlm.vision.ConfigReader;
import dev.ocellus.vlm.vision.EncoderGraph;
import dev.ocellus.vlm.vision.InstructionGraph;
import dev.ocellus.vlm.vision.PromptAttention;
import dev.ocellus.vlm.vision.UnsupportedContentException;
import dev.ocellus.vlm.vision.VisionArchitecture;
import dev.ocellus.vlm.vision.VisionGraph;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * InstructBLIP (arXiv:2305.06500): {@link Blip2}, whose Q-Former also reads what is asked, cut into
 * word pieces, so that an image's embeddings are what matters for the question. Weights under
 * {@code v.}, {@code qf.} and {@code mm.model.fc}.
 *
 * <p>The reference is {@code InstructBlipForConditionalGeneration} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/instructblip/modeling_instructblip.py">modeling_instructblip.py</a>,
 * <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/instructblip/processing_instructblip.py">processing_instructblip.py</a>,
 * which gives the Q-Former the same text as the language model.
 */
final class InstructBlip {
  private InstructBlip() {}

  static VisionArchitecture of(GgufMetadata metadata, Weights weights) {
    TowerConfig config = BlipTower.config(metadata);
    var tower = new BlipTower(config, weights.at("v"));
    QFormer queries = QFormer.of(metadata, weights.at("qf"), tower.width(), true);
    return new VisionArchitecture(
        "instructblip",
        Blip2.promptFormat(),
        Blip2.Preprocessor.of(metadata, config, queries.nQueries()),
        new States(tower),
        PromptAttention.CAUSAL,
        Queries.of(metadata, queries, weights.at("mm").at("model").at("fc")));
  }

  private record States(BlipTower tower) implements VisionGraph {
    @Override
    public int width() {
      return tower.width();
    }

    @Override
    public Tensor forward(EncoderGraph graph) {
      return tower.forward(graph.pixels());
    }
  }

  /**
   * @param begin id in front of every instruction
   * @param end id behind it
   */
  private record Queries(
      QFormer queries,
      Linear projector,
      int width,
      WordPieceTokenizer tokenizer,
      int begin,
      int end)
      implements InstructionGraph {
    static Queries of(GgufMetadata metadata, QFormer queries, Weights fc) {
      var c = new ConfigReader(metadata, "tokenizer.ggml.");
      WordPieceTokenizer tokenizer = WordPieceTokenizer.of(metadata);
      int nTokens = queries.nTokens();
      if (tokenizer.size() > nTokens) {
        throw c.invalid("tokens", "at most " + nTokens, String.valueOf(tokenizer.size()));
      }
      int width = fc.outputs("weight");
      return new Queries(
          queries,
          Linear.of(fc, queries.width(), width),
          width,
          tokenizer,
          c.integer("cls_token_id", 0, nTokens - 1),
          c.integer("seperator_token_id", 0, nTokens - 1)); // llama.cpp's spelling
    }

    @Override
    public List<Integer> tokenize(String instruction) {
      List<Integer> ids = new ArrayList<>();
      ids.add(begin);
      IntStream.of(tokenizer.encode(instruction)).forEach(ids::add);
      ids.add(end);
      if (ids.size() > queries.nPositions()) {
        throw new UnsupportedContentException(
            "The instruction has %d tokens, and the image encoder of this model, which reads it too, takes at most %d. Ask in fewer words."
                .formatted(ids.size(), queries.nPositions()));
      }
      return ids;
    }

    @Override
    public Tensor forward(ModelGraph graph, Tensor states, int nIds) {
      Tensor ids = graph.indices(IDS, nIds, queries.nTokens());
      int[] places = IntStream.range(0, nIds).toArray();
      Tensor x =
          queries.forward(states, ids, graph.indexTable("places", places, queries.nPositions()));
      x = x.slice(new long[] {}, queries.width(), queries.nQueries()).contiguous();
      return projector.forward(x).named("projector.out");
    }
  }
}
