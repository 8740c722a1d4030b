package dev.ocellus.vlm.model;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.image.ImageFit;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.image.ResizeFilter;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.model.tiling.Llama4Tiles;
import dev.ocellus.vlm.model.tiling.TiledCanvas.Arrangement;
import dev.ocellus.vlm.model.tower.Llama4Tower;
import dev.ocellus.vlm.model.tower.TowerConfig;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.Linear;
import dev.ocellus.vlm.nn.Mlp;
import dev.ocellus.vlm.nn.PixelShuffle;
import dev.ocellus.vlm.vision.ChatTemplateName;
import dev.ocellus.vlm.vision.ConfigReader;
import dev.ocellus.vlm.vision.EncoderGraph;
import dev.ocellus.vlm.vision.FixedPromptFormat;
import dev.ocellus.vlm.vision.ImageInput;
import dev.ocellus.vlm.vision.ImageOptions;
import dev.ocellus.vlm.vision.ImagePiece;
import dev.ocellus.vlm.vision.ImagePlaceholder;
import dev.ocellus.vlm.vision.ImagePreprocessor;
import dev.ocellus.vlm.vision.Tiles;
import dev.ocellus.vlm.vision.VisionArchitecture;
import dev.ocellus.vlm.vision.VisionGraph;
import java.util.ArrayList;
import java.util.List;

/**
 * Llama 4: {@link Llama4Tiles}, {@link Llama4Tower}, squares of patches through two layers that
 * both end in GELU, and a linear one. Between tiles stand separators. Weights under {@code v.} and
 * {@code mm.}.
 *
 * <p>The reference is {@code Llama4ForConditionalGeneration} of transformers with its {@code
 * Llama4Processor}: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/llama4/processing_llama4.py">processing_llama4.py</a>.
 */
final class Llama4 {
  private static final float EPS = 1e-5f;
  private static final int MAX_TILES = 16;

  private Llama4() {}

  static VisionArchitecture of(GgufMetadata metadata, Weights weights) {
    ConfigReader c = ConfigReader.ofVision(metadata);
    TowerConfig tower = TowerConfig.of(metadata, EPS, Activation.GELU);
    TowerConfig.heads(c, tower.nEmbd(), 4);
    int factor = c.integer("projector.scale_factor", 1, 16, 2);
    if (tower.grid() % factor != 0 || tower.imageSize() % tower.patchSize() != 0) {
      throw c.invalid(
          "image_size",
          "a multiple of %d x %d".formatted(tower.patchSize(), factor),
          Integer.toString(tower.imageSize()));
    }
    var tiles =
        new Llama4Tiles(
            c.integer("preproc_max_tiles", 1, 256, MAX_TILES),
            tower.imageSize(),
            metadata.bool("clip.vision.resize_to_max_canvas", false),
            c.torchFilter(ResizeFilter.BILINEAR));
    return new VisionArchitecture(
        "llama4",
        new FixedPromptFormat(
            ImagePlaceholder.of("<|image|>").written("<|image|>"), ChatTemplateName.LLAMA4),
        new Preprocessor(
            tiles, tower.patchSize(), factor, c.normalize(Normalize.HALF).inBfloat16()),
        Graph.of(metadata, tower, factor, weights));
  }

  private record Preprocessor(Llama4Tiles tiles, int patchSize, int factor, Normalize normalize)
      implements ImagePreprocessor {
    @Override
    public boolean hasTokenLimits() {
      return true;
    }

    @Override
    public ImageInput prepare(RgbImage image, ImageOptions options) {
      Llama4Tiles allowed = allowed(options);
      Arrangement arrangement = allowed.arrangement(image.size());
      List<RgbImage> cut = allowed.cut(image, arrangement);
      int side = tiles.side();
      return new ImageInput(
          List.of(Tiles.ofImages(cut, normalize, patchSize)),
          List.of(cut.size(), 3, side, side),
          arrangement.across(),
          arrangement.down(),
          layout(arrangement));
    }

    private Llama4Tiles allowed(ImageOptions options) {
      return options.maxTokens() > 0
          ? tiles.atMost(Math.max(1, options.maxTokens() / perTile() - 1))
          : tiles;
    }

    @Override
    public ImageFit fit(ImageSize size, ImageInput input, ImageOptions options) {
      Llama4Tiles allowed = allowed(options);
      Arrangement on = allowed.arrangement(size);
      var canvas = new ImageSize(on.across() * allowed.side(), on.down() * allowed.side());
      return ImageFit.onCanvas(size, allowed.size(size, on), canvas, on.count() > 1);
    }

    private int perTile() {
      int perSide = tiles.side() / patchSize / factor;
      return perSide * perSide;
    }

    private List<ImagePiece> layout(Arrangement arrangement) {
      List<ImagePiece> pieces = new ArrayList<>();
      String before = "<|image_start|>";
      for (int i = 0; arrangement.count() > 1 && i < arrangement.count(); i++) {
        pieces.add(new ImagePiece.Text(before));
        pieces.add(ImagePiece.Embeddings.of(perTile()));
        boolean endsLine = (i + 1) % arrangement.across() == 0;
        before = endsLine ? "<|tile_y_separator|>" : "<|tile_x_separator|>";
      }
      pieces.add(new ImagePiece.Text(before + "<|image|>"));
      pieces.add(ImagePiece.Embeddings.of(perTile()));
      pieces.add(new ImagePiece.Text("<|image_end|>"));
      return pieces;
    }
  }

  private record Graph(
      Llama4Tower tower, PixelShuffle squares, Mlp adapter, Linear projection, int width)
      implements VisionGraph {
    static Graph of(GgufMetadata metadata, TowerConfig c, int factor, Weights weights) {
      Weights model = weights.at("mm").at("model");
      Weights mlp = model.at("mlp");
      int width = model.at("fc").outputs("weight");
      return new Graph(
          new Llama4Tower(
              c,
              new ConfigReader(metadata, "clip.").positive("rope.freq_base", 10_000),
              weights.at("v")),
          new PixelShuffle(factor),
          Mlp.projector(mlp.at(1), mlp.at(2), (long) c.nEmbd() * factor * factor, Activation.GELU),
          Linear.of(model.at("fc"), mlp.at(2).outputs("weight"), width),
          width);
    }

    @Override
    public Tensor forward(EncoderGraph graph) {
      Tensor x = squares.forward(tower.forward(graph), graph.gridX(), graph.gridY());
      x = Activation.GELU.apply(adapter.forward(x)).named("vision.last_hidden");
      return projection.forward(x).named("projector.out");
    }
  }
}
