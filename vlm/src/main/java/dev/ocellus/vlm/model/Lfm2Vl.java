package dev.ocellus.vlm.model;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.model.tiling.Lfm2Tiles;
import dev.ocellus.vlm.model.tower.NaflexTower;
import dev.ocellus.vlm.model.tower.SiglipTower;
import dev.ocellus.vlm.model.tower.TowerConfig;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.LayerNorm;
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
import org.jspecify.annotations.Nullable;

/**
 * LFM2-VL and LFM2.5-VL (arXiv:2511.23404): tiles of an image, or the image as one tile of any
 * shape, go through SigLIP 2's tower for any shape (NaFlex); squares of its patches are put side by
 * side, normed where the file has a norm, and projected. Weights under {@code v.} and {@code mm.}.
 *
 * <p>The reference is {@code Lfm2VlForConditionalGeneration} of transformers with its processor: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/lfm2_vl/modeling_lfm2_vl.py">modeling_lfm2_vl.py</a>,
 * <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/lfm2_vl/processing_lfm2_vl.py">processing_lfm2_vl.py</a>.
 */
final class Lfm2Vl {
  /** PyTorch's default, which the projector's norm has. */
  private static final float PROJECTOR_EPS = 1e-5f;

  private Lfm2Vl() {}

  static VisionArchitecture of(GgufMetadata metadata, Weights weights) {
    ConfigReader c = ConfigReader.ofVision(metadata);
    TowerConfig tower = SiglipTower.config(metadata);
    PixelShuffle shuffle = new PixelShuffle(c.integer("projector.scale_factor", 1, 16, 2));
    return new VisionArchitecture(
        "lfm2-vl",
        new FixedPromptFormat(
            ImagePlaceholder.of("<image>").written("<image>"), ChatTemplateName.CHATML),
        new Preprocessor(
            Lfm2Tiles.of(metadata, tower.patchSize(), shuffle.factor()),
            c.normalize(Normalize.HALF).fused()),
        Graph.of(metadata, tower, shuffle, weights));
  }

  private record Preprocessor(Lfm2Tiles tiles, Normalize normalize) implements ImagePreprocessor {
    @Override
    public boolean hasTokenLimits() {
      return true;
    }

    @Override
    public ImageInput prepare(RgbImage image, ImageOptions options) {
      Lfm2Tiles.Cut cut = tiles.cut(image, options);
      List<Tiles> all = new ArrayList<>();
      int patch = tiles.patchSize();
      if (!cut.tiles().isEmpty()) {
        all.add(Tiles.ofImages(cut.tiles(), normalize, patch));
      }
      RgbImage whole = cut.whole();
      if (whole != null) {
        all.add(Tiles.ofImages(List.of(whole), normalize, patch));
      }
      int nTiles = all.stream().mapToInt(Tiles::n).sum();
      int nPatches = all.stream().mapToInt(t -> t.gridX() * t.gridY()).max().orElse(0);
      return new ImageInput(
          all,
          List.of(nTiles, Math.max(tiles.maxPatches(options), nPatches), 3 * patch * patch),
          Math.max(1, cut.columns()),
          cut.columns() == 0 ? 1 : cut.tiles().size() / cut.columns(),
          layout(cut, whole));
    }

    /** The tiles row by row, each behind its place; then the whole image. */
    private List<ImagePiece> layout(Lfm2Tiles.Cut cut, @Nullable RgbImage whole) {
      List<ImagePiece> pieces = new ArrayList<>();
      String before = "<|image_start|>";
      for (int i = 0; i < cut.tiles().size(); i++) {
        int row = i / cut.columns() + 1;
        int column = i % cut.columns() + 1;
        pieces.add(new ImagePiece.Text(before + "<|img_row_%d_col_%d|>".formatted(row, column)));
        pieces.add(embeddings(cut.tiles().get(i)));
        before = "";
      }
      if (whole != null) {
        pieces.add(new ImagePiece.Text(before.isEmpty() ? "<|img_thumbnail|>" : before));
        pieces.add(embeddings(whole));
      }
      pieces.add(new ImagePiece.Text("<|image_end|>"));
      return pieces;
    }

    private ImagePiece embeddings(RgbImage tile) {
      int token = tiles.patchSize() * tiles.factor();
      return ImagePiece.Embeddings.of(tile.width() / token * (tile.height() / token));
    }
  }

  private record Graph(
      NaflexTower tower, PixelShuffle shuffle, @Nullable LayerNorm norm, Mlp projector, int width)
      implements VisionGraph {
    static Graph of(
        GgufMetadata metadata, TowerConfig tower, PixelShuffle shuffle, Weights weights) {
      Weights mm = weights.at("mm");
      long nIn = (long) tower.nEmbd() * shuffle.factor() * shuffle.factor();
      Activation activation =
          new ConfigReader(metadata, "clip.vision.projector.").activation(Activation.GELU);
      return new Graph(
          NaflexTower.of(tower, weights.at("v")),
          shuffle,
          mm.has("input_norm.weight")
              ? LayerNorm.of(mm.at("input_norm"), nIn, PROJECTOR_EPS)
              : null,
          Mlp.projector(mm.at(1), mm.at(2), nIn, activation),
          mm.at(2).outputs("weight"));
    }

    @Override
    public Tensor forward(EncoderGraph graph) {
      Tensor x = tower.forward(graph); // [nEmbd, patches, n]
      x = shuffle.forward(x, graph.gridX(), graph.gridY());
      x = norm == null ? x : norm.forward(x);
      return projector.forward(x).named("projector.out");
    }
  }
}
