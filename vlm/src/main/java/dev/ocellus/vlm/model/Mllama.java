package dev.ocellus.vlm.model;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.image.ImageFit;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.image.ResizeFilter;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.model.tiling.TiledCanvas;
import dev.ocellus.vlm.model.tiling.TiledCanvas.Arrangement;
import dev.ocellus.vlm.model.tower.MllamaTower;
import dev.ocellus.vlm.model.tower.TowerConfig;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.AttentionMask;
import dev.ocellus.vlm.nn.Linear;
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
 * Llama 3.2 Vision (Mllama): {@link TiledCanvas}, {@link MllamaTower} and a linear layer. The
 * states of an image are no rows of the prompt, but what some layers of the text model attend to:
 * in the prompt an image is one token, whose embedding here is all states one after the other, and
 * then the number of its tiles ({@code decode.CrossTextGraph}).
 *
 * <p>The reference is {@code MllamaForConditionalGeneration} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/mllama/modeling_mllama.py">modeling_mllama.py</a>.
 * It blends transparent images onto white; here alpha is dropped, as everywhere.
 */
final class Mllama {
  private Mllama() {}

  static VisionArchitecture of(GgufMetadata metadata, Weights weights) {
    ConfigReader c = ConfigReader.ofVision(metadata);
    int[] pairs = c.integers("image_grid_pinpoints", 1, 64);
    List<Arrangement> arrangements = new ArrayList<>();
    for (int i = 0; i + 1 < pairs.length; i += 2) {
      arrangements.add(new Arrangement(pairs[i], pairs[i + 1]));
    }
    TowerConfig tower = TowerConfig.of(metadata, 1e-5f, Activation.GELU);
    int nTiles = c.integer("preproc_max_tiles", 1, 64);
    List<Integer> features = new ArrayList<>();
    for (int layer : c.integers("feature_layer", 0, tower.nLayer() - 1)) {
      features.add(layer);
    }
    var config =
        new MllamaTower.Config(
            tower, nTiles, c.integer("global_block_count", 1, 1024), features, arrangements.size());
    var canvas = new TiledCanvas(nTiles, tower.imageSize(), c.filter(ResizeFilter.BILINEAR));
    return new VisionArchitecture(
        "mllama",
        new FixedPromptFormat(
            ImagePlaceholder.of("<|image|>").written("<|image|>"), ChatTemplateName.LLAMA3),
        new Preprocessor(canvas, c.normalize(Normalize.CLIP)),
        Graph.of(config, arrangements, weights));
  }

  private record Preprocessor(TiledCanvas canvas, Normalize colours) implements ImagePreprocessor {
    @Override
    public ImageInput prepare(RgbImage image, ImageOptions options) {
      Arrangement tiles = canvas.arrangement(image.size());
      RgbImage all = canvas.canvas(image, tiles);
      int side = canvas.side();
      int length = 3 * side * side;
      float[] pixels = new float[Math.multiplyExact(length, canvas.maxTiles())];
      for (int i = 0; i < tiles.count(); i++) {
        int x = i % tiles.across() * side;
        int y = i / tiles.across() * side;
        colours.apply(all.crop(x, y, side, side), pixels, i * length);
      }
      // on its own, as arrangement and missing tiles are those of one image
      var tile =
          new Tiles(
              pixels,
              List.of((long) side, (long) side, 3L * canvas.maxTiles()),
              tiles.across(),
              tiles.down());
      return new ImageInput(
          List.of(tile),
          List.of(canvas.maxTiles(), 3, side, side),
          1,
          1,
          List.of(ImagePiece.Embeddings.of(1)));
    }

    @Override
    public ImageFit fit(ImageSize size, ImageInput input, ImageOptions options) {
      Arrangement tiles = canvas.arrangement(size);
      return ImageFit.onCanvas(
          size, canvas.fitted(size, tiles), canvas.size(tiles), tiles.count() > 1);
    }

    @Override
    public Normalize normalize() {
      return colours;
    }
  }

  private record Graph(
      MllamaTower.Config config,
      List<Arrangement> arrangements,
      MllamaTower tower,
      Linear projection,
      int hidden)
      implements VisionGraph {
    static Graph of(MllamaTower.Config c, List<Arrangement> arrangements, Weights weights) {
      Weights fc = weights.at("mm").at("model").at("fc");
      int hidden = fc.outputs("weight");
      return new Graph(
          c,
          arrangements,
          new MllamaTower(c, weights.at("v")),
          Linear.of(fc, c.width(), hidden),
          hidden);
    }

    @Override
    public int width() {
      return Math.addExact(
          1, Math.multiplyExact(hidden, Math.multiplyExact(config.nStates(), config.nTiles())));
    }

    @Override
    public int stateWidth() {
      return hidden;
    }

    @Override
    public Tensor forward(EncoderGraph graph) {
      int side = config.tower().imageSize();
      var tiles = new Arrangement(graph.gridY(), graph.gridX());
      int number = 1 + arrangements.indexOf(tiles); // 0 is for images that are not there
      Tensor arrangement =
          graph.indices("arrangement", new int[] {number}, arrangements.size() + 1L);
      float[] mask = MllamaTower.mask(config, tiles.count());
      long n = Math.round(Math.sqrt(mask.length));
      Tensor x =
          tower.forward(
              graph.pixels().reshape(side, side, 3, config.nTiles()),
              arrangement,
              AttentionMask.of(graph.table("mask", mask, n, n)));
      Tensor states = projection.forward(x).named("projector.out");
      Tensor count = graph.table("tiles", new float[] {tiles.count()}, 1, 1, 1);
      return states.reshape(width() - 1L, 1, 1).concat(count, 0);
    }
  }
}
