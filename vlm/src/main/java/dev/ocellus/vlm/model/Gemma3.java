package dev.ocellus.vlm.model;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.image.Preprocess;
import dev.ocellus.vlm.image.ResizeFilter;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.model.tiling.PanAndScan;
import dev.ocellus.vlm.model.tower.SiglipTower;
import dev.ocellus.vlm.model.tower.TowerConfig;
import dev.ocellus.vlm.nn.SquareMeans;
import dev.ocellus.vlm.vision.ChatTemplateName;
import dev.ocellus.vlm.vision.ConfigReader;
import dev.ocellus.vlm.vision.EncoderGraph;
import dev.ocellus.vlm.vision.ImageInput;
import dev.ocellus.vlm.vision.ImageOptions;
import dev.ocellus.vlm.vision.ImagePiece;
import dev.ocellus.vlm.vision.ImagePlaceholder;
import dev.ocellus.vlm.vision.ImagePreprocessor;
import dev.ocellus.vlm.vision.ImagePromptFormat;
import dev.ocellus.vlm.vision.PromptAttention;
import dev.ocellus.vlm.vision.Tiles;
import dev.ocellus.vlm.vision.VisionArchitecture;
import dev.ocellus.vlm.vision.VisionGraph;
import java.util.ArrayList;
import java.util.List;

/**
 * Gemma 3 (arXiv:2503.19786): every image is stretched to one square, goes through a SigLIP tower,
 * squares of its patches are averaged, normed and projected. The embeddings of an image attend to
 * each other in the text model. Weights under {@code v.} and {@code mm.}.
 *
 * <p>The reference is {@code Gemma3ForConditionalGeneration} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/gemma3/modeling_gemma3.py">modeling_gemma3.py</a>.
 * {@linkplain PanAndScan Pan and scan} is off unless it is asked for, as in published
 * preprocessors. The converter has added the 1 that Gemma's norms add to their weights.
 */
final class Gemma3 {
  /** What stands around the embeddings of an image, and of every crop of it. */
  private static final String BEFORE = "\n\n<start_of_image>";

  private static final String AFTER = "<end_of_image>\n\n";

  private Gemma3() {}

  static VisionArchitecture of(GgufMetadata metadata, Weights weights) {
    Config config = Config.of(metadata);
    return new VisionArchitecture(
        "gemma3",
        new PromptFormat(),
        Preprocessor.of(metadata, config),
        Graph.of(config, weights),
        PromptAttention.NON_CAUSAL_IMAGES);
  }

  /**
   * @param tower sizes
   * @param poolSize patches of the side of a square whose mean becomes one embedding
   */
  private record Config(TowerConfig tower, int poolSize) {
    static Config of(GgufMetadata metadata) {
      TowerConfig tower = SiglipTower.config(metadata);
      ConfigReader c = ConfigReader.ofVision(metadata);
      // the converter leaves the key out where it is 4, as in all published models
      int poolSize = c.integer("projector.scale_factor", 1, tower.grid(), 4);
      if (poolSize > tower.grid()) {
        throw c.invalid(
            "image_size",
            "a tile of at least %d patches a side".formatted(poolSize),
            Integer.toString(tower.imageSize()));
      }
      return new Config(tower, poolSize);
    }

    int perSide() {
      return tower.grid() / poolSize;
    }
  }

  private static final class PromptFormat implements ImagePromptFormat {
    private static final ImagePlaceholder WHOLE =
        ImagePlaceholder.of("<start_of_image>").between(BEFORE, AFTER).written("<start_of_image>");

    private static final ImagePlaceholder CUT = WHOLE.between(PanAndScan.BEFORE + BEFORE, AFTER);

    @Override
    public String imageMarker() {
      return WHOLE.marker();
    }

    @Override
    public ChatTemplateName defaultTemplate() {
      return ChatTemplateName.GEMMA3;
    }

    @Override
    public ImagePlaceholder place(RgbImage image, int nImages, ImageOptions options) {
      boolean cut = options.panAndScan() && !PanAndScan.crops(image.size()).isEmpty();
      return cut ? CUT : WHOLE;
    }
  }

  private record Preprocessor(Config config, Normalize normalize, ResizeFilter filter)
      implements ImagePreprocessor {
    static Preprocessor of(GgufMetadata metadata, Config config) {
      ConfigReader c = ConfigReader.ofVision(metadata);
      return new Preprocessor(config, c.normalize(Normalize.HALF), c.filter(ResizeFilter.BILINEAR));
    }

    @Override
    public boolean hasPanAndScan() {
      return true;
    }

    @Override
    public int longestRows(ImageOptions options) {
      return config.perSide() * config.perSide();
    }

    @Override
    public ImageInput prepare(RgbImage image, ImageOptions options) {
      int side = config.tower.imageSize();
      List<RgbImage> squares = new ArrayList<>();
      squares.add(square(image));
      if (options.panAndScan()) {
        PanAndScan.crops(image.size()).stream()
            .map(crop -> square(crop.of(image)))
            .forEach(squares::add);
      }
      return new ImageInput(
          List.of(Tiles.ofImages(squares, normalize, config.tower.patchSize())),
          List.of(squares.size(), 3, side, side),
          1,
          1,
          layout(squares.size()));
    }

    private RgbImage square(RgbImage image) {
      int side = config.tower.imageSize();
      return Preprocess.stretch(image, side, side, filter);
    }

    /** The whole image, then its crops, each as an image stands in a prompt. */
    private List<ImagePiece> layout(int n) {
      ImagePiece image = ImagePiece.Embeddings.of(config.perSide() * config.perSide());
      List<ImagePiece> pieces = new ArrayList<>();
      pieces.add(image);
      for (int i = 1; i < n; i++) {
        String between = i == 1 ? PanAndScan.BETWEEN : " ";
        pieces.add(new ImagePiece.Text(AFTER + between + BEFORE));
        pieces.add(image);
      }
      return pieces;
    }
  }

  /**
   * @param projection stored as [width, nEmbd]
   */
  private record Graph(
      Config config, SiglipTower.Normed tower, Tensor normWeight, Tensor projection, int width)
      implements VisionGraph {
    static Graph of(Config config, Weights weights) {
      Weights mm = weights.at("mm");
      int nEmbd = config.tower.nEmbd();
      int width = (int) mm.shape("input_projection.weight")[0];
      return new Graph(
          config,
          SiglipTower.Normed.of(config.tower, weights.at("v")),
          mm.f32("soft_emb_norm.weight", nEmbd),
          // it is F16 in files that are F32 otherwise; a product with it would round, too
          mm.f32("input_projection.weight", width, nEmbd),
          width);
    }

    @Override
    public Tensor forward(EncoderGraph graph) {
      Tensor x = pool(tower.forward(graph.pixels()));
      x = x.rmsNorm(config.tower.eps()).mul(normWeight);
      Tensor matrix = projection.inGraphOf(x).transpose().contiguous();
      return x.mulMat(matrix).named("projector.out");
    }

    /**
     * Means of squares of patches; those at the right and at the bottom that fill none are left.
     */
    private Tensor pool(Tensor x) {
      long nEmbd = config.tower.nEmbd();
      long k = config.poolSize;
      long grid = config.tower.grid();
      long perSide = grid / k;
      long n = x.size(2);
      x =
          x.reshape(nEmbd, grid, grid, n)
              .slice(new long[] {}, nEmbd, perSide * k, perSide * k, n)
              .contiguous();
      return SquareMeans.of(x, k);
    }
  }
}
