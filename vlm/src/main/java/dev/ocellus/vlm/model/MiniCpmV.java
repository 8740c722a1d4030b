package dev.ocellus.vlm.model;

import dev.ocellus.UnsupportedArchitectureException;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.model.tiling.UhdSlices;
import dev.ocellus.vlm.model.tower.SiglipTower;
import dev.ocellus.vlm.model.tower.TowerConfig;
import dev.ocellus.vlm.nn.Linear;
import dev.ocellus.vlm.nn.Resampler;
import dev.ocellus.vlm.vision.ChatTemplateName;
import dev.ocellus.vlm.vision.ConfigReader;
import dev.ocellus.vlm.vision.EncoderGraph;
import dev.ocellus.vlm.vision.FixedPromptFormat;
import dev.ocellus.vlm.vision.ImageInput;
import dev.ocellus.vlm.vision.ImageOptions;
import dev.ocellus.vlm.vision.ImagePiece;
import dev.ocellus.vlm.vision.ImagePlaceholder;
import dev.ocellus.vlm.vision.ImagePreprocessor;
import dev.ocellus.vlm.vision.ImagePromptFormat;
import dev.ocellus.vlm.vision.Tiles;
import dev.ocellus.vlm.vision.VisionArchitecture;
import dev.ocellus.vlm.vision.VisionGraph;
import java.util.ArrayList;
import java.util.List;

/**
 * MiniCPM-V 2.5 and 2.6 (arXiv:2408.01800): an image and slices of it, of any shape, go through a
 * SigLIP tower whose table of positions is spread over each, and a resampler makes a fixed number
 * of embeddings of each. Weights under {@code v.} and {@code resampler.}.
 *
 * <p>The reference is the code that comes with the published checkpoints, <a
 * href="https://huggingface.co/openbmb/MiniCPM-V-2_6/blob/main/modeling_minicpmv.py">modeling_minicpmv.py</a>
 * and <a
 * href="https://huggingface.co/openbmb/MiniCPM-V-2_6/blob/main/resampler.py">resampler.py</a>. Its
 * tower is {@code Idefics2VisionTransformer} of transformers.
 *
 * <p>It finds the position of a patch by comparing single-precision fractions, whose rounding
 * depends on the machine. Here the fraction is exact; for some numbers of patches (25, 49, 50, 55
 * of those below 77) up to three lines or columns may take their neighbour's position there.
 */
final class MiniCpmV {
  private static final String VERSION = "clip.minicpmv_version";
  private static final int V2_5 = 2;
  private static final int LATEST = 6;

  /** Width of an attention head of the resampler, which the files do not say. */
  private static final int HEAD_SIZE = 128;

  private static final float EPS = 1e-6f;

  private MiniCpmV() {}

  static VisionArchitecture of(GgufMetadata metadata, Weights weights) {
    boolean v2_5 = version(metadata) == V2_5;
    TowerConfig declared = SiglipTower.config(metadata);
    Graph graph = Graph.of(declared, weights);
    return new VisionArchitecture(
        "minicpm-v",
        v2_5
            ? new FixedPromptFormat(PromptFormat.PLACE, ChatTemplateName.LLAMA3)
            : new PromptFormat(),
        Preprocessor.of(metadata, declared, v2_5, graph.resampler.nQueries()),
        graph);
  }

  private static int version(GgufMetadata metadata) {
    int version = metadata.int32(VERSION, V2_5);
    if (version < V2_5 || version > LATEST) {
      throw new UnsupportedArchitectureException(
          "%s: %d is not known; known are 2 (MiniCPM-V 2.5) and 3 (2.6), and 4 to 6 (o-2.6, V 4.0, o-4.0) are taken as 3"
              .formatted(VERSION, version));
    }
    return version;
  }

  /** Of 2.6, which numbers the images of a conversation. */
  private static final class PromptFormat implements ImagePromptFormat {
    static final ImagePlaceholder PLACE = ImagePlaceholder.of("(<image>./</image>)");

    @Override
    public String imageMarker() {
      return PLACE.marker();
    }

    @Override
    public ChatTemplateName defaultTemplate() {
      return ChatTemplateName.CHATML_QWEN2;
    }

    @Override
    public ImagePlaceholder place(RgbImage image, int nImages, ImageOptions options) {
      return PLACE.between("<image_id>" + nImages + "</image_id>", "");
    }
  }

  /**
   * @param v2_5 whether slices are written as MiniCPM-V 2.5 does
   * @param nQueries embeddings of every slice
   */
  private record Preprocessor(UhdSlices slices, Normalize normalize, boolean v2_5, int nQueries)
      implements ImagePreprocessor {
    static Preprocessor of(
        GgufMetadata metadata, TowerConfig declared, boolean v2_5, int nQueries) {
      ConfigReader c = ConfigReader.ofVision(metadata);
      // the size of the square whose pixels a slice has; the tower's own is that of its table
      int scale = c.integer("image_size", 14, 1 << 12, 448);
      var slices =
          new UhdSlices(scale, declared.patchSize(), c.integer("preproc_max_tiles", 1, 64, 9));
      return new Preprocessor(slices, c.normalize(Normalize.HALF), v2_5, nQueries);
    }

    @Override
    public ImageInput prepare(RgbImage image, ImageOptions options) {
      UhdSlices.Cut cut = slices.cut(image);
      List<Tiles> tiles = new ArrayList<>();
      tiles.add(Tiles.ofImages(List.of(cut.whole()), normalize, slices.patchSize()));
      if (!cut.slices().isEmpty()) {
        tiles.add(Tiles.ofImages(cut.slices(), normalize, slices.patchSize()));
      }
      int nPixels = tiles.stream().mapToInt(t -> t.pixels().length).sum();
      int lines = cut.columns() == 0 ? 0 : cut.slices().size() / cut.columns();
      return new ImageInput(
          tiles, List.of(nPixels), Math.max(1, cut.columns()), Math.max(1, lines), layout(cut));
    }

    /** The whole, then the slices with a line end between lines. */
    private List<ImagePiece> layout(UhdSlices.Cut cut) {
      List<ImagePiece> pieces = new ArrayList<>();
      add(pieces, "<image>", "</image>");
      if (!cut.slices().isEmpty() && v2_5) {
        pieces.add(new ImagePiece.Text("<slice>"));
      }
      for (int i = 0; i < cut.slices().size(); i++) {
        if (i > 0 && i % cut.columns() == 0) {
          pieces.add(new ImagePiece.Text("\n"));
        }
        if (v2_5) {
          add(pieces, "<image>", "</image>");
        } else {
          add(pieces, "<slice>", "</slice>");
        }
      }
      if (!cut.slices().isEmpty() && v2_5) {
        pieces.add(new ImagePiece.Text("</slice>"));
      }
      return pieces;
    }

    private void add(List<ImagePiece> pieces, String before, String after) {
      pieces.add(new ImagePiece.Text(before));
      pieces.add(ImagePiece.Embeddings.of(nQueries));
      pieces.add(new ImagePiece.Text(after));
    }
  }

  /**
   * @param side of the square table of positions
   */
  private record Graph(
      SiglipTower.Normed tower, int side, Resampler resampler, Linear projection, int width)
      implements VisionGraph {
    static Graph of(TowerConfig declared, Weights weights) {
      Weights v = weights.at("v");
      int side = (int) Math.sqrt(v.outputs("position_embd.weight"));
      Weights w = weights.at("resampler");
      int nEmbd = (int) w.shape("proj.weight")[0];
      if (nEmbd % HEAD_SIZE != 0) {
        throw new UnsupportedArchitectureException(
            "%s is %d wide; a multiple of %d is expected"
                .formatted(w.name("proj.weight"), nEmbd, HEAD_SIZE));
      }
      int width = w.outputs("proj.weight");
      return new Graph(
          SiglipTower.Normed.of(declared.withImageSize(side * declared.patchSize()), v),
          side,
          Resampler.of(w, declared.nEmbd(), nEmbd, nEmbd / HEAD_SIZE, EPS),
          Linear.of(w.at("proj"), nEmbd, width),
          width);
    }

    @Override
    public Tensor forward(EncoderGraph graph) {
      int nx = graph.gridX();
      int ny = graph.gridY();
      int[] places = SiglipTower.spread(side, nx, ny);
      Tensor indices = graph.indices("positions", places, (long) side * side);
      Tensor x = tower.forward(graph.pixels(), indices); // [nEmbd, nPatches, n]
      int nEmbd = resampler.width();
      Tensor positions = graph.table("sines", sines(nx, ny, nEmbd), nEmbd, (long) nx * ny);
      x = resampler.forward(x, positions).named("resampler");
      return projection.forward(x).named("projector.out");
    }

    /**
     * Sines and cosines of the column, then of the line, in single precision as the reference has
     * them ({@code get_2d_sincos_pos_embed}).
     */
    private static float[] sines(int nx, int ny, int nEmbd) {
      int quarter = nEmbd / 4;
      float[] table = new float[nx * ny * nEmbd];
      for (int f = 0; f < quarter; f++) {
        float omega = 1 / (float) Math.pow(10000, (float) f / quarter);
        for (int i = 0; i < nx * ny; i++) {
          float across = i % nx * omega;
          float down = i / nx * omega;
          table[i * nEmbd + f] = (float) Math.sin(across);
          table[i * nEmbd + quarter + f] = (float) Math.cos(across);
          table[i * nEmbd + 2 * quarter + f] = (float) Math.sin(down);
          table[i * nEmbd + 3 * quarter + f] = (float) Math.cos(down);
        }
      }
      return table;
    }
  }
}
