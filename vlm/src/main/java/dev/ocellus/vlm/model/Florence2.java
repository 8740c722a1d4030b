package dev.ocellus.vlm.model;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.grounding.FlorenceTasks;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.image.Preprocess;
import dev.ocellus.vlm.image.ResizeFilter;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.model.tower.DaVit;
import dev.ocellus.vlm.model.tower.DaVit.Stage;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.LayerNorm;
import dev.ocellus.vlm.nn.Linear;
import dev.ocellus.vlm.vision.ChatTemplateName;
import dev.ocellus.vlm.vision.ConfigReader;
import dev.ocellus.vlm.vision.EncoderGraph;
import dev.ocellus.vlm.vision.ImageInput;
import dev.ocellus.vlm.vision.ImageOptions;
import dev.ocellus.vlm.vision.ImagePiece;
import dev.ocellus.vlm.vision.ImagePlaceholder;
import dev.ocellus.vlm.vision.ImagePreprocessor;
import dev.ocellus.vlm.vision.ImagePromptFormat;
import dev.ocellus.vlm.vision.InvalidConfigException;
import dev.ocellus.vlm.vision.OcrForm;
import dev.ocellus.vlm.vision.OcrNotation;
import dev.ocellus.vlm.vision.OcrPrompt;
import dev.ocellus.vlm.vision.Tiles;
import dev.ocellus.vlm.vision.UnsupportedContentException;
import dev.ocellus.vlm.vision.VisionArchitecture;
import dev.ocellus.vlm.vision.VisionGraph;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Florence-2 (arXiv:2311.06242): every image is stretched to one size and goes through {@link
 * DaVit}; the mean of the last map and its pixels with their positions, projected, stand in front
 * of the text, which BART's encoder reads. Weights under {@code v.stage.} and {@code mm.}.
 *
 * <p>The reference is {@code Florence2ForConditionalGeneration} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/florence2/modeling_florence2.py">modeling_florence2.py</a>,
 * <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/florence2/processing_florence2.py">processing_florence2.py</a>.
 * No published converter fixes the names; they are ours (docs/gguf.md).
 */
final class Florence2 {
  static final String NAME = "florence2";

  private Florence2() {}

  static VisionArchitecture of(GgufMetadata metadata, Weights weights) {
    ConfigReader c = ConfigReader.ofVision(metadata);
    DaVit.Config tower = tower(metadata, c);
    Preprocessor preprocessor = Preprocessor.of(c, tower);
    return new VisionArchitecture(
        NAME, PromptFormat.of(metadata), preprocessor, Graph.of(tower, preprocessor, weights));
  }

  /** One image stands in front of the text. */
  private record PromptFormat(FlorenceTasks tasks) implements ImagePromptFormat {
    static PromptFormat of(GgufMetadata metadata) {
      double minArea = metadata.f32("florence2.ocr_min_area", 0);
      return new PromptFormat(
          new FlorenceTasks(
              Set.copyOf(metadata.findStrings("florence2.banned_phrases").orElse(List.of())),
              minArea));
    }

    @Override
    public String imageMarker() {
      return "<image>";
    }

    @Override
    public ChatTemplateName defaultTemplate() {
      return ChatTemplateName.FLORENCE2;
    }

    @Override
    public List<OcrPrompt> ocrPrompts() {
      return List.of(
          OcrPrompt.of(OcrForm.TEXT, "<OCR>"),
          OcrPrompt.of(OcrForm.TEXT, "<OCR_WITH_REGION>").withNotation(OcrNotation.TASK));
    }

    @Override
    public ImagePlaceholder place(RgbImage image, int nImages, ImageOptions options) {
      if (nImages > 0) {
        throw new UnsupportedContentException(
            "Florence-2 takes one image with one text. Ask about each image by itself.");
      }
      return ImagePlaceholder.of(imageMarker());
    }
  }

  private static DaVit.Config tower(GgufMetadata metadata, ConfigReader c) {
    int[] widths = c.integers("stage.embedding_length", 1, 1 << 16);
    int n = widths.length;
    int[] blocks = c.integers("stage.block_count", 0, 1 << 10, n);
    int[] heads = c.integers("stage.head_count", 1, 1 << 16, n);
    int[] groups = c.integers("stage.group_count", 1, 1 << 16, n);
    int[] kernels = c.integers("stage.kernel_size", 1, 64, n);
    int[] strides = c.integers("stage.stride", 1, 64, n);
    int[] paddings = c.integers("stage.padding", 0, 64, n);
    int[] normBefore = c.integers("stage.norm_before", 0, 1, n);
    List<Stage> stages = new ArrayList<>();
    for (int i = 0; i < n; i++) {
      requireDivisor(c, "stage.head_count", heads[i], widths[i]);
      requireDivisor(c, "stage.group_count", groups[i], widths[i]);
      stages.add(
          new Stage(
              i == 0 ? 3 : widths[i - 1],
              widths[i],
              blocks[i],
              heads[i],
              groups[i],
              kernels[i],
              strides[i],
              paddings[i],
              normBefore[i] == 1));
    }
    return new DaVit.Config(
        stages, c.integer("window_size", 1, 1 << 12), c.activation(Activation.GELU));
  }

  private static void requireDivisor(ConfigReader c, String key, int value, int width) {
    if (width % value != 0) {
      throw c.invalid(key, "divisors of the widths, such as of " + width, "" + value);
    }
  }

  /** {@code CLIPImageProcessor} with width and height. */
  private record Preprocessor(
      ImageSize size, ImageSize map, ResizeFilter filter, Normalize normalize)
      implements ImagePreprocessor {
    private static final Normalize IMAGENET =
        Normalize.of(new double[] {0.485, 0.456, 0.406}, new double[] {0.229, 0.224, 0.225});

    static Preprocessor of(ConfigReader c, DaVit.Config tower) {
      var size =
          new ImageSize(
              c.integer("image_width", 1, 1 << 13), c.integer("image_height", 1, 1 << 13));
      int width = tower.side(size.width());
      int height = tower.side(size.height());
      if (width < 1 || height < 1) {
        throw c.invalid(
            "image_width",
            "an image that is not smaller than the kernels of all stages",
            "%d x %d".formatted(size.width(), size.height()));
      }
      return new Preprocessor(
          size,
          new ImageSize(width, height),
          c.filter(ResizeFilter.BICUBIC),
          c.normalize(IMAGENET));
    }

    int nEmbeddings() {
      return 1 + map.width() * map.height();
    }

    @Override
    public ImageInput prepare(RgbImage image, ImageOptions options) {
      RgbImage stretched = Preprocess.stretch(image, size.width(), size.height(), filter);
      Tiles tiles = Tiles.ofRgb(normalize.apply(stretched), size.width(), size.height(), 1, 1);
      return new ImageInput(
          List.of(tiles),
          List.of(1, 3, size.height(), size.width()),
          1,
          1,
          List.of(ImagePiece.Embeddings.of(nEmbeddings())));
    }
  }

  private record Graph(
      DaVit tower,
      ImageSize map,
      Tensor rowTable,
      Tensor columnTable,
      Tensor time,
      Linear projection,
      LayerNorm norm,
      int width)
      implements VisionGraph {
    private static final float EPS = 1e-5f;

    static Graph of(DaVit.Config c, Preprocessor p, Weights weights) {
      Weights mm = weights.at("mm");
      int channels = c.width();
      int nRows = channels / 2;
      int n = Math.toIntExact(mm.shape("row_embd.weight")[1]);
      if (p.map.width() > n || p.map.height() > n) {
        throw new InvalidConfigException(
            "%s: expected a table for maps of %d x %d pixels, found %d rows. The file is damaged or was converted wrongly."
                .formatted(mm.name("row_embd.weight"), p.map.width(), p.map.height(), n));
      }
      Weights fc = mm.at("model").at("fc");
      int width = fc.outputs("weight");
      return new Graph(
          new DaVit(c, weights.at("v")),
          p.map,
          mm.f32("row_embd.weight", nRows, n),
          mm.f32("column_embd.weight", channels - nRows, n),
          mm.f32("temporal_embd", channels),
          Linear.of(fc, channels, width),
          LayerNorm.of(mm.at("post_norm"), width, EPS),
          width);
    }

    @Override
    public Tensor forward(EncoderGraph graph) {
      Tensor x = DaVit.rows(tower.forward(graph.pixels()));
      x = x.add(positions(graph, x)).add(time);
      Tensor mean = x.transpose().contiguous().meanRows(); // [1, channels, n]
      Tensor all = mean.reshape(x.size(0), 1, x.size(2)).concat(x, 1);
      return norm.forward(projection.forward(all)).named("projector.out");
    }

    /** Of each pixel its column and its row, [channels, pixels]. */
    private Tensor positions(EncoderGraph graph, Tensor x) {
      int n = map.width() * map.height();
      int[] columns = new int[n];
      int[] rows = new int[n];
      for (int i = 0; i < n; i++) {
        columns[i] = i % map.width();
        rows[i] = i / map.width();
      }
      Tensor of =
          columnTable.inGraphOf(x).getRows(graph.indices("columns", columns, columnTable.size(1)));
      return of.concat(
          rowTable.inGraphOf(x).getRows(graph.indices("rows", rows, rowTable.size(1))), 0);
    }
  }
}
