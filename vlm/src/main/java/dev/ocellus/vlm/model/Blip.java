package dev.ocellus.vlm.model;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.fusion.CaptionArchitecture;
import dev.ocellus.vlm.fusion.ImageStates;
import dev.ocellus.vlm.fusion.MatchArchitecture;
import dev.ocellus.vlm.fusion.MatchHeads;
import dev.ocellus.vlm.fusion.QuestionArchitecture;
import dev.ocellus.vlm.fusion.TextStates;
import dev.ocellus.vlm.graph.ModelGraph;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.model.text.BertDecoder;
import dev.ocellus.vlm.model.tiling.SquareFit;
import dev.ocellus.vlm.model.tower.BertEncoder;
import dev.ocellus.vlm.model.tower.BlipTower;
import dev.ocellus.vlm.model.tower.TowerConfig;
import dev.ocellus.vlm.nn.Projection;
import dev.ocellus.vlm.vision.EncoderGraph;
import dev.ocellus.vlm.vision.Tiles;

/**
 * BLIP (arXiv:2201.12086) in its three trades: captions, answers to questions, and whether image
 * and text match. Every image is stretched to one square; BERTs attend to the states of its CLS
 * token and patches. Weights under {@code v.}, {@code t.} (an encoder of texts), {@code d.} (a
 * decoder), {@code itm_head}, {@code visual_projection} and {@code text_projection}.
 *
 * <p>The references are {@code BlipForConditionalGeneration}, {@code BlipForQuestionAnswering} and
 * {@code BlipForImageTextRetrieval} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/blip/modeling_blip.py">modeling_blip.py</a>.
 * No published converter fixes the names; they are ours (docs/gguf.md).
 */
final class Blip {
  private static final String NAME = "blip";

  private Blip() {}

  static CaptionArchitecture captioner(GgufMetadata metadata, Weights weights) {
    Images images = Images.of(metadata, weights);
    BertDecoder decoder = BertDecoder.of(metadata, weights.at("d"), images.width());
    return new CaptionArchitecture(
        NAME, images, decoder, BertTexts.of(metadata, decoder.nTokens(), decoder.nPositions()));
  }

  static QuestionArchitecture questionAnswerer(GgufMetadata metadata, Weights weights) {
    Images images = Images.of(metadata, weights);
    BertEncoder encoder = BertEncoder.of(metadata, weights.at("t"), images.width());
    BertDecoder decoder = BertDecoder.of(metadata, weights.at("d"), encoder.width());
    BertTexts.of(metadata, encoder.nTokens(), encoder.nPositions()); // of questions, the same
    return new QuestionArchitecture(
        NAME,
        images,
        new Questions(encoder),
        decoder,
        BertTexts.of(metadata, decoder.nTokens(), decoder.nPositions()));
  }

  static MatchArchitecture matcher(GgufMetadata metadata, Weights weights) {
    Images images = Images.of(metadata, weights);
    BertEncoder encoder = BertEncoder.of(metadata, weights.at("t"), images.width());
    return new MatchArchitecture(
        NAME,
        images,
        Heads.of(encoder, images.width(), weights),
        BertTexts.of(metadata, encoder.nTokens(), encoder.nPositions()));
  }

  private record Images(BlipTower tower, SquareFit fit) implements ImageStates {
    static Images of(GgufMetadata metadata, Weights weights) {
      TowerConfig c = BlipTower.config(metadata);
      return new Images(
          new BlipTower(c, weights.at("v")),
          SquareFit.of(
              metadata, c.imageSize(), c.patchSize(), SquareFit.Kind.STRETCH, Normalize.CLIP));
    }

    @Override
    public Tiles prepare(RgbImage image) {
      return fit.tile(image);
    }

    @Override
    public Tensor forward(EncoderGraph graph) {
      return tower.forward(graph.pixels());
    }

    @Override
    public int width() {
      return tower.width();
    }
  }

  private record Questions(BertEncoder encoder) implements TextStates {
    @Override
    public Tensor forward(ModelGraph graph, Tensor ids, Tensor image) {
      return encoder.forward(graph, ids, Math.toIntExact(ids.size(0)), null, image);
    }

    @Override
    public int width() {
      return encoder.width();
    }

    @Override
    public int nTokens() {
      return encoder.nTokens();
    }
  }

  /** What compares: of the states of image and text their first ones, which stand for the whole. */
  private record Heads(BertEncoder encoder, Projection match, Projection ofImage, Projection ofText)
      implements MatchHeads {
    private static final int N_CLASSES = 2;

    static Heads of(BertEncoder encoder, int imageWidth, Weights weights) {
      Weights ofImage = weights.at("visual_projection");
      int dimension = ofImage.outputs("weight");
      return new Heads(
          encoder,
          Projection.of(weights.at("itm_head"), encoder.width(), N_CLASSES),
          Projection.of(ofImage, imageWidth, dimension),
          Projection.of(weights.at("text_projection"), encoder.width(), dimension));
    }

    @Override
    public Tensor match(ModelGraph graph, Tensor ids, int n, Tensor image) {
      Tensor states = encoder.forward(graph, ids, n, null, image);
      return match.forward(first(states)).named("itm_score");
    }

    @Override
    public Tensor textVectors(ModelGraph graph, Tensor ids, int n) {
      Tensor states = encoder.forward(graph, ids, n, null, null);
      return ofText.forward(first(states)).named("text.features");
    }

    @Override
    public Tensor imageVector(ModelGraph graph, Tensor image) {
      return ofImage.forward(first(image)).named("image.features");
    }

    @Override
    public int nTokens() {
      return encoder.nTokens();
    }

    /** From [width, n, batch] to [width, batch]. */
    private static Tensor first(Tensor states) {
      long batch = states.size(2);
      return states
          .slice(new long[] {}, states.size(0), 1, batch)
          .contiguous()
          .reshape(states.size(0), batch);
    }
  }
}
