package dev.ocellus.vlm.model;

import dev.ocellus.UnsupportedArchitectureException;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.image.ResizeFilter;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.Video;
import dev.ocellus.vlm.model.tiling.FrameChoice;
import dev.ocellus.vlm.model.tiling.FramePixels;
import dev.ocellus.vlm.model.tiling.FrameSampling;
import dev.ocellus.vlm.model.tiling.UhdSlices;
import dev.ocellus.vlm.model.tower.MiniCpmTower;
import dev.ocellus.vlm.model.tower.SiglipTower;
import dev.ocellus.vlm.model.tower.TowerConfig;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.LayerNorm;
import dev.ocellus.vlm.nn.Mlp;
import dev.ocellus.vlm.nn.PixelShuffle;
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
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * MiniCPM-V 4.6 and 4.7 (arXiv:2408.01800 for their slices): an image and slices of it go through a
 * {@linkplain MiniCpmTower tower} that makes one patch of four on its way; squares of what comes
 * out become one embedding each. Weights under {@code v.} and {@code mm.}. In 4.7 the image, its
 * slices and the tokens between them stand on a plane of positions ({@code CanvasPrompt}).
 *
 * <p>The reference is {@code MiniCPMV4_6ForConditionalGeneration} of transformers with its {@code
 * MiniCPMV4_6ImageProcessorPil}: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/minicpmv4_6/modeling_minicpmv4_6.py">modeling_minicpmv4_6.py</a>.
 * Its class takes all tiles of a prompt to have the size of the first; here each has its own. The
 * position of a patch is found as in {@link MiniCpmV}. Frames of a video are cut as images are,
 * side by side without their times ({@code MiniCPMV4_6VideoProcessor}).
 */
final class MiniCpmV46 {
  private static final float PROJECTOR_EPS = 1e-6f;
  private static final String INSERTED = "clip.vision.wa_layer_indexes";

  /** Sides of tiles are multiples of so many patches, whether they are merged twice or once. */
  private static final int UNIT = 4;

  private MiniCpmV46() {}

  static VisionArchitecture of(GgufMetadata metadata, Weights weights) {
    return of("minicpm-v-4.6", PromptAttention.CAUSAL, metadata, weights);
  }

  /** Version 4.7. */
  static VisionArchitecture onPlane(GgufMetadata metadata, Weights weights) {
    return of("minicpm-v-4.7", PromptAttention.IMAGES_IN_ORDER, metadata, weights);
  }

  private static VisionArchitecture of(
      String name, PromptAttention attention, GgufMetadata metadata, Weights weights) {
    TowerConfig tower = SiglipTower.config(metadata);
    ConfigReader c = ConfigReader.ofVision(metadata);
    Graph graph = Graph.of(metadata, tower, weights);
    UhdSlices slices =
        new UhdSlices(
            c.integer("image_size", 14, 1 << 12, 448),
            tower.patchSize(),
            c.integer("preproc_max_tiles", 1, 64, 9),
            UNIT * tower.patchSize(),
            c.filter(ResizeFilter.BICUBIC));
    Normalize normalize = c.normalize(Normalize.HALF);
    boolean onPlane = attention == PromptAttention.IMAGES_IN_ORDER;
    return new VisionArchitecture(
        name,
        new PromptFormat(metadata.bool("clip.vision.use_image_id", true), !onPlane),
        new Preprocessor(
            slices,
            normalize,
            2 * graph.tower.factor(),
            onPlane,
            onPlane ? null : Videos.of(metadata, slices, normalize)),
        graph,
        attention);
  }

  /**
   * @param choice of frames
   */
  private record Videos(UhdSlices slices, FramePixels pixels, FrameChoice choice) {
    private static final int MAX_FRAMES = 128;

    static Videos of(GgufMetadata metadata, UhdSlices ofImages, Normalize normalize) {
      ConfigReader video = FramePixels.reader(metadata);
      UhdSlices slices =
          new UhdSlices(
              video.integer("image_size", 14, 1 << 12, ofImages.scale()),
              ofImages.patchSize(),
              video.integer("max_tiles", 1, 64, ofImages.maxSlices()),
              ofImages.unit(),
              ofImages.filter());
      int max = video.integer("max_frames", 1, 1 << 20, MAX_FRAMES);
      return new Videos(
          slices,
          FramePixels.of(metadata, ofImages.filter(), normalize),
          FrameChoice.of(metadata, v -> FrameSampling.bySeconds(v, max)));
    }

    /** The frames that are taken, cut. */
    List<UhdSlices.Cut> cuts(Video video) {
      Video sampled = choice.of(video);
      List<UhdSlices.Cut> cuts = new ArrayList<>();
      for (RgbImage frame : sampled.frames()) {
        UhdSlices.Cut cut = slices.cut(frame, pixels::resized);
        if (cuts.isEmpty()) {
          long ofSlices = cut.slices().stream().mapToLong(s -> s.size().pixels()).sum();
          FramePixels.requireRoom(sampled, 3 * (cut.whole().size().pixels() + ofSlices));
        }
        cuts.add(cut);
      }
      return cuts;
    }
  }

  /**
   * @param numbered whether images of a conversation are numbered
   * @param withVideos whether videos are taken
   */
  private record PromptFormat(boolean numbered, boolean withVideos) implements ImagePromptFormat {
    private static final ImagePlaceholder PLACE =
        ImagePlaceholder.of("<|image_pad|>").written("<|image_pad|>");

    private static final ImagePlaceholder VIDEO =
        ImagePlaceholder.of("<|video_pad|>").written("<|video_pad|>");

    @Override
    public String imageMarker() {
      return PLACE.marker();
    }

    @Override
    public @Nullable String videoMarker() {
      return withVideos ? VIDEO.marker() : null;
    }

    @Override
    public ChatTemplateName defaultTemplate() {
      return ChatTemplateName.CHATML;
    }

    @Override
    public ImagePlaceholder place(RgbImage image, int nImages, ImageOptions options) {
      return numbered(PLACE, nImages);
    }

    @Override
    public ImagePlaceholder place(Video video, int nVideos) {
      return numbered(VIDEO, nVideos);
    }

    private ImagePlaceholder numbered(ImagePlaceholder place, int number) {
      return numbered ? place.between("<image_id>" + number + "</image_id>", "") : place;
    }
  }

  /**
   * @param merged patches of an embedding's side
   * @param onGrid whether the embeddings of a tile have lines and columns
   * @param videos none in version 4.7, as it is not known where frames stand on its plane
   */
  private record Preprocessor(
      UhdSlices slices, Normalize normalize, int merged, boolean onGrid, @Nullable Videos videos)
      implements ImagePreprocessor {
    @Override
    public boolean takesVideos() {
      return videos != null;
    }

    @Override
    public ImageInput prepare(RgbImage image, ImageOptions options) {
      return input(List.of(slices.cut(image)), normalize);
    }

    @Override
    public ImageInput prepare(Video video, ImageOptions options) {
      return videos == null
          ? ImagePreprocessor.super.prepare(video, options)
          : input(videos.cuts(video), videos.pixels.normalize());
    }

    /** Images, or frames, of one size. */
    private ImageInput input(List<UhdSlices.Cut> cuts, Normalize normalize) {
      int patch = slices.patchSize();
      List<Tiles> tiles = new ArrayList<>();
      List<ImagePiece> pieces = new ArrayList<>();
      for (UhdSlices.Cut cut : cuts) {
        tiles.add(Tiles.ofImages(List.of(cut.whole()), normalize, patch));
        if (!cut.slices().isEmpty()) {
          tiles.add(Tiles.ofImages(cut.slices(), normalize, patch));
        }
        pieces.addAll(layout(cut));
      }
      UhdSlices.Cut first = cuts.getFirst();
      int nPixels = tiles.stream().mapToInt(t -> t.pixels().length).sum();
      int lines = first.columns() == 0 ? 0 : first.slices().size() / first.columns();
      return new ImageInput(
          tiles,
          List.of(1, 3, patch, nPixels / (3 * patch)),
          Math.max(1, first.columns()),
          Math.max(1, lines),
          pieces);
    }

    /** The whole, then the slices with a line end between lines. */
    private List<ImagePiece> layout(UhdSlices.Cut cut) {
      List<ImagePiece> pieces = new ArrayList<>();
      add(pieces, "<image>", cut.whole(), "</image>");
      for (int i = 0; i < cut.slices().size(); i++) {
        boolean newLine = i > 0 && i % cut.columns() == 0;
        add(pieces, newLine ? "\n<slice>" : "<slice>", cut.slices().get(i), "</slice>");
      }
      return pieces;
    }

    private void add(List<ImagePiece> pieces, String before, RgbImage tile, String after) {
      int side = slices.patchSize() * merged;
      pieces.add(new ImagePiece.Text(before));
      int columns = tile.width() / side;
      int lines = tile.height() / side;
      pieces.add(
          onGrid
              ? ImagePiece.Embeddings.grid(columns, lines)
              : ImagePiece.Embeddings.of(columns * lines));
      pieces.add(new ImagePiece.Text(after));
    }
  }

  private record Graph(MiniCpmTower tower, LayerNorm norm, Mlp projector, int width)
      implements VisionGraph {
    static Graph of(GgufMetadata metadata, TowerConfig c, Weights weights) {
      Weights mm = weights.at("mm");
      long nIn = 4L * c.nEmbd();
      return new Graph(
          MiniCpmTower.of(c, weights.at("v"), mergedAfter(metadata, c)),
          LayerNorm.of(mm.at("input_norm"), nIn, PROJECTOR_EPS),
          Mlp.projector(mm.at("up"), mm.at("down"), nIn, Activation.GELU),
          mm.at("down").outputs("weight"));
    }

    /** Layers in front of the merger, or 0 where patches are merged once only, in the projector. */
    private static int mergedAfter(GgufMetadata metadata, TowerConfig c) {
      int factor = ConfigReader.ofVision(metadata).integer("projector.scale_factor", 2, 4, 4);
      if (factor == 3) {
        throw new UnsupportedArchitectureException(
            "clip.vision.projector.scale_factor: 3 is not known; known are 2 and 4");
      }
      if (factor == 2) {
        return 0;
      }
      long[] layers = metadata.findIntegers(INSERTED).orElse(new long[] {6});
      if (layers.length != 1 || layers[0] < 0 || layers[0] >= c.nLayer()) {
        throw ConfigReader.ofVision(metadata)
            .invalid(
                "wa_layer_indexes",
                "a layer from 0 to " + (c.nLayer() - 1),
                Arrays.toString(Arrays.copyOf(layers, Math.min(layers.length, 8))));
      }
      return (int) layers[0] + 1;
    }

    @Override
    public Tensor forward(EncoderGraph graph) {
      Tensor x = tower.forward(graph); // [nEmbd, patches, n]
      int factor = tower.factor();
      x = new PixelShuffle(2).forward(x, graph.gridX() / factor, graph.gridY() / factor);
      return projector.forward(norm.forward(x)).named("projector.out");
    }
  }
}
