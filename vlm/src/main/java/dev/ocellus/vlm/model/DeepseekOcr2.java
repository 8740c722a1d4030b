package dev.ocellus.vlm.model;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.image.ImageFit;
import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.image.Preprocess;
import dev.ocellus.vlm.image.ResizeFilter;
import dev.ocellus.vlm.image.Rgb;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.model.tower.QueryEncoder;
import dev.ocellus.vlm.model.tower.SamTower;
import dev.ocellus.vlm.model.tower.TowerConfig;
import dev.ocellus.vlm.nn.Linear;
import dev.ocellus.vlm.sampling.NgramGuard;
import dev.ocellus.vlm.vision.ChatTemplateName;
import dev.ocellus.vlm.vision.ConfigReader;
import dev.ocellus.vlm.vision.EncoderGraph;
import dev.ocellus.vlm.vision.ImageInput;
import dev.ocellus.vlm.vision.ImageOptions;
import dev.ocellus.vlm.vision.ImagePiece;
import dev.ocellus.vlm.vision.ImagePlaceholder;
import dev.ocellus.vlm.vision.ImagePreprocessor;
import dev.ocellus.vlm.vision.ImagePromptFormat;
import dev.ocellus.vlm.vision.OcrForm;
import dev.ocellus.vlm.vision.OcrNotation;
import dev.ocellus.vlm.vision.OcrPrompt;
import dev.ocellus.vlm.vision.Tiles;
import dev.ocellus.vlm.vision.VisionArchitecture;
import dev.ocellus.vlm.vision.VisionGraph;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * DeepSeek-OCR-2 (arXiv:2601.20552): an image as a whole, and where it is larger than a tile in
 * tiles too; the encoder of Segment Anything, then one with learned queries. Tiles come first, then
 * the whole and a separator. Weights under {@code v.} and {@code mm.}.
 *
 * <p>The reference is {@code DeepseekOcr2ForConditionalGeneration} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/deepseek_ocr2/modeling_deepseek_ocr2.py">modeling_deepseek_ocr2.py</a>,
 * <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/deepseek_ocr2/image_processing_pil_deepseek_ocr2.py">image_processing_pil_deepseek_ocr2.py</a>.
 */
final class DeepseekOcr2 {
  private static final float EPS = 1e-6f;
  private static final float THETA = 1_000_000;

  /** Blocks of Segment Anything's smallest encoder that attend to all patches. */
  private static final long[] WHOLE = {2, 5, 8, 11};

  /** Patches on a side of what becomes one row. */
  private static final int DOWNSAMPLING = 4;

  private DeepseekOcr2() {}

  static VisionArchitecture of(GgufMetadata metadata, Weights weights) {
    Preprocessor preprocessor = Preprocessor.of(metadata);
    return new VisionArchitecture(
        "deepseek-ocr2",
        new PromptFormat(),
        preprocessor,
        Graph.of(metadata, preprocessor, weights));
  }

  private record PromptFormat() implements ImagePromptFormat {
    @Override
    public String imageMarker() {
      return "<image>";
    }

    /** They ask for places, or for the place of what stands between two of them. */
    @Override
    public Set<String> tokensOfPeople() {
      return Set.of("<|grounding|>", "<|ref|>", "<|/ref|>");
    }

    @Override
    public List<OcrPrompt> ocrPrompts() {
      NgramGuard guard = new NgramGuard(20, 50, Set.of("<td>", "</td>"));
      return List.of(
          OcrPrompt.of(OcrForm.MARKDOWN, "<|grounding|>Convert the document to markdown. ")
              .withNotation(OcrNotation.GROUNDED)
              .withControlTokens("<|grounding|>")
              .withGuard(guard),
          // without marks, but with a table's cells, which are tokens like those of marks
          OcrPrompt.of(OcrForm.TEXT, "Free OCR. ")
              .withNotation(OcrNotation.GROUNDED)
              .withGuard(guard));
    }

    @Override
    public ChatTemplateName defaultTemplate() {
      return ChatTemplateName.DEEPSEEK_OCR;
    }

    @Override
    public ImagePlaceholder place(RgbImage image, int nImages, ImageOptions options) {
      return ImagePlaceholder.of(imageMarker());
    }
  }

  /**
   * @param side pixels of the whole image's side
   * @param tile pixels of a tile's side
   * @param minTiles fewest tiles of an image that is larger than one
   * @param maxTiles most tiles
   * @param splits whether there are tiles at all; otherwise the whole is as large as one
   */
  private record Preprocessor(
      int patchSize,
      int side,
      int tile,
      int minTiles,
      int maxTiles,
      boolean splits,
      Rgb background,
      ResizeFilter filter,
      Normalize normalize)
      implements ImagePreprocessor {
    static Preprocessor of(GgufMetadata metadata) {
      ConfigReader c = ConfigReader.ofVision(metadata);
      int patchSize = c.integer("patch_size", 1, 256, 16);
      int side = c.integer("image_size", patchSize, 1 << 12, 1024);
      int tile = c.integer("preproc_tile_size", patchSize, 1 << 12, 768);
      int minTiles = c.integer("preproc_min_tiles", 1, 256, 2);
      int maxTiles = c.integer("preproc_max_tiles", minTiles, 256, 6);
      int unit = patchSize * DOWNSAMPLING;
      for (int size : new int[] {side, tile}) {
        if (size % unit != 0) {
          throw c.invalid(
              size == side ? "image_size" : "preproc_tile_size",
              "a multiple of " + unit,
              Integer.toString(size));
        }
      }
      return new Preprocessor(
          patchSize,
          side,
          tile,
          minTiles,
          maxTiles,
          metadata.bool("clip.vision.do_image_splitting", true),
          background(metadata, c),
          c.filter(ResizeFilter.BICUBIC),
          c.normalize(Normalize.HALF));
    }

    private static Rgb background(GgufMetadata metadata, ConfigReader c) {
      if (metadata.contains("clip.vision.image_fill_color")) {
        int[] color = c.integers("image_fill_color", 0, 255, 3);
        return new Rgb(color[0], color[1], color[2]);
      }
      int grey = c.integer("image_fill", 0, 255, 127);
      return new Rgb(grey, grey, grey);
    }

    private int nTokens(int size) {
      int perSide = size / patchSize / DOWNSAMPLING;
      return perSide * perSide;
    }

    private int whole() {
      return splits ? side : tile;
    }

    @Override
    public ImageInput prepare(RgbImage image, ImageOptions options) {
      List<Tiles> all = new ArrayList<>();
      ImageSize grid = new ImageSize(1, 1);
      int n = 0;
      if (splits && Math.max(image.width(), image.height()) > tile) {
        grid = InternVl.tileGrid(image.size(), tile, minTiles, maxTiles);
        n = grid.width() * grid.height();
        all.add(Tiles.ofImages(cut(image, grid), normalize, patchSize));
      }
      all.add(Tiles.ofImages(List.of(padded(image)), normalize, patchSize));
      int nValues = all.stream().mapToInt(tiles -> tiles.pixels().length).sum();
      return new ImageInput(
          all,
          List.of(3, nValues / 3),
          grid.width(),
          grid.height(),
          List.of(ImagePiece.Embeddings.of(n * nTokens(tile) + nTokens(whole()) + 1)));
    }

    private List<RgbImage> cut(RgbImage image, ImageSize grid) {
      RgbImage canvas =
          Preprocess.stretch(image, grid.width() * tile, grid.height() * tile, filter);
      List<RgbImage> tiles = new ArrayList<>();
      for (int i = 0; i < grid.width() * grid.height(); i++) {
        tiles.add(canvas.crop(i % grid.width() * tile, i / grid.width() * tile, tile, tile));
      }
      return tiles;
    }

    /** In its aspect ratio in the middle of a square. Python rounds halves to even numbers. */
    private RgbImage padded(RgbImage image) {
      double scale = (double) whole() / Math.max(image.width(), image.height());
      int width = (int) Math.rint(image.width() * scale);
      int height = (int) Math.rint(image.height() * scale);
      if (width == 0 || height == 0) {
        throw new ImageFormatException(
            ImageFormatException.Kind.UNSUPPORTED,
            "An image of %s pixels is too thin: with a longer side of %d, which this model takes, nothing is left of the shorter one. Crop it or cut it into parts."
                .formatted(image.size(), whole()));
      }
      return Preprocess.padToSquare(Preprocess.stretch(image, width, height, filter), background);
    }

    @Override
    public ImageFit fit(ImageSize size, ImageInput input, ImageOptions options) {
      return input.nTiles() > 1
          ? ImagePreprocessor.super.fit(size, input, options)
          : ImageFit.squared(size);
    }

    @Override
    public Normalize normalize() {
      return normalize;
    }
  }

  private record Graph(
      Preprocessor preprocessor,
      SamTower sam,
      QueryEncoder encoder,
      Tensor queries,
      Tensor tileQueries,
      Linear projector,
      Tensor separator,
      int width)
      implements VisionGraph {
    static Graph of(GgufMetadata metadata, Preprocessor p, Weights weights) {
      Weights v = weights.at("v");
      SamTower sam = new SamTower(samConfig(metadata, p.patchSize()), v.at("sam"));
      QueryEncoder.Config config = encoderConfig(metadata, sam.width());
      Weights fc = weights.at("mm").at("model").at("fc");
      int width = fc.outputs("weight");
      return new Graph(
          p,
          sam,
          new QueryEncoder(config, v),
          queries(v.at("resample_query_1024"), config.nEmbd()),
          queries(v.at("resample_query_768"), config.nEmbd()),
          Linear.of(fc, config.nEmbd(), width),
          v.f32("view_seperator", width), // llama.cpp's spelling
          width);
    }

    private static Tensor queries(Weights w, int nEmbd) {
      return w.f32("weight", nEmbd, w.outputs("weight"));
    }

    private static SamTower.Config samConfig(GgufMetadata metadata, int patchSize) {
      ConfigReader c = new ConfigReader(metadata, "clip.vision.sam.");
      ConfigReader vision = ConfigReader.ofVision(metadata);
      int nEmbd = TowerConfig.width(c);
      int nHead = c.integer("head_count", 1, nEmbd);
      if (nEmbd % nHead != 0) {
        throw c.invalid("head_count", "a divisor of " + nEmbd, Integer.toString(nHead));
      }
      int nLayer = TowerConfig.layers(c);
      Set<Integer> whole = new HashSet<>();
      for (long i : metadata.findIntegers("clip.vision.wa_layer_indexes").orElse(WHOLE)) {
        whole.add((int) Math.clamp(i, -1, 1024));
      }
      return new SamTower.Config(
          patchSize,
          nEmbd,
          nHead,
          nLayer,
          vision.integer("window_size", 1, 1 << 10, 14),
          Set.copyOf(whole),
          c.positive("layer_norm_epsilon", EPS));
    }

    private static QueryEncoder.Config encoderConfig(GgufMetadata metadata, int nSam) {
      ConfigReader c = ConfigReader.ofVision(metadata);
      int nEmbd = TowerConfig.width(c);
      if (nEmbd != nSam) {
        throw c.invalid(
            "embedding_length", "as many as v.sam.net_3 gives, " + nSam, Integer.toString(nEmbd));
      }
      int nHead = TowerConfig.heads(c, nEmbd, 2);
      int nHeadKv = c.integer("attention.head_count_kv", 1, nHead, nHead);
      if (nHead % nHeadKv != 0) {
        throw c.invalid(
            "attention.head_count_kv", "a divisor of " + nHead, Integer.toString(nHeadKv));
      }
      return new QueryEncoder.Config(
          nEmbd,
          nHead,
          nHeadKv,
          TowerConfig.layers(c),
          c.positive("attention.layer_norm_epsilon", EPS),
          new ConfigReader(metadata, "clip.").positive("rope.freq_base", THETA));
    }

    /** The separator comes behind each tile, too. */
    @Override
    public Tensor forward(EncoderGraph graph) {
      Tensor rows = sam.forward(graph);
      boolean few = rows.size(1) <= tileQueries.size(1);
      Tensor x = encoder.forward(graph, rows, few ? tileQueries : queries);
      x = projector.forward(x.named("vision.last_hidden"));
      Tensor end = separator.inGraphOf(x).reshape(width, 1).repeat(width, 1, x.size(2));
      return x.concat(end, 1).named("projector.out");
    }

    @Override
    public float[] arrange(ImageInput image, float[] embeddings) {
      float[] arranged = new float[image.nTokens() * width];
      int from = 0;
      int to = 0;
      for (Tiles tiles : image.tiles()) {
        int perTile = preprocessor.nTokens(tiles.size().width()) * width;
        for (int i = 0; i < tiles.n(); i++) {
          System.arraycopy(embeddings, from, arranged, to, perTile);
          from += perTile + width;
          to += perTile;
        }
      }
      System.arraycopy(embeddings, from - width, arranged, to, width);
      return arranged;
    }
  }
}
