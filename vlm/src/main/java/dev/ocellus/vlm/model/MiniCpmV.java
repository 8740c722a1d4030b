package dev.ocellus.vlm.model;

import dev.ocellus.UnsupportedArchitectureException;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.model.tiling.UhdSlices;
import dev.ocellus.vlm.model.tower.SiglipTower;
import dev.ocellus.vlm.nn.Linear;
import dev.ocellus.vlm.nn.Resampler;
import dev.ocellus.vlm.vision.ConfigReader;
import dev.ocellus.vlm.vision.EncoderGraph;
import dev.ocellus.vlm.vision.ImageInput;
import dev.ocellus.vlm.vision.ImagePiece;
import dev.ocellus.vlm.vision.Tiles;
import dev.ocellus.vlm.vision.VisionArchitecture;
import java.util.ArrayList;
import java.util.List;

/**
 * MiniCPM-V 2.5 and 2.6 (arXiv:2408.01800): an image and slices of it, of any shape, go through a
 * SigLIP tower whose table of positions is spread over each, and a resampler makes a fixed number
 * of rows of each. Weights under {@code v.} and {@code resampler.}.
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
final class MiniCpmV implements VisionArchitecture {
  private static final String VERSION = "clip.minicpmv_version";
  private static final int V2_5 = 2;
  private static final int LATEST = 6;

  /** Width of an attention head of the resampler, which the files do not say. */
  private static final int HEAD_SIZE = 128;

  private static final float EPS = 1e-6f;
  private static final double[] HALF = {0.5, 0.5, 0.5};

  private static final String LLAMA3 =
      "{{ bos_token }}{% for message in messages %}"
          + "{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' + message['content'] | trim + '<|eot_id|>' }}{% endfor %}"
          + "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}";

  private static final String QWEN2 =
      "{% for message in messages %}{% if loop.first and message['role'] != 'system' %}"
          + "{{ '<|im_start|>system\\nYou are a helpful assistant.<|im_end|>\\n' }}{% endif %}"
          + "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}{% endfor %}"
          + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

  private final boolean v2_5;
  private final UhdSlices slices;
  private final int side;
  private final Normalize normalize;
  private final SiglipTower tower;
  private final Resampler resampler;
  private final Linear projection;
  private final int width;

  MiniCpmV(GgufMetadata metadata, Weights weights) {
    int version = metadata.int32(VERSION, V2_5);
    if (version < V2_5 || version > LATEST) {
      throw new UnsupportedArchitectureException(
          "%s: %d is not known; known are 2 (MiniCPM-V 2.5) and 3 (2.6), and 4 to 6 (o-2.6, V 4.0, o-4.0) are taken as 3"
              .formatted(VERSION, version));
    }
    v2_5 = version == V2_5;
    var c = new ConfigReader(metadata, "clip.vision.");
    // the size of the square whose pixels a slice has; the tower's own is that of its table
    int scale = c.integer("image_size", 14, 1 << 12, 448);
    var said = SiglipTower.Config.of(metadata);
    int patchSize = said.patchSize();
    slices = new UhdSlices(scale, patchSize, c.integer("preproc_max_tiles", 1, 64, 9));
    normalize =
        Normalize.of(
            c.perChannel("image_mean", 0, 1, HALF), c.perChannel("image_std", 1e-3, 1e3, HALF));
    Weights v = weights.at("v");
    long[] table = v.shape("position_embd.weight");
    side = (int) Math.sqrt(table.length > 1 ? table[1] : 1);
    tower = new SiglipTower(said.withImageSize(side * patchSize), v);
    Weights w = weights.at("resampler");
    long[] shape = w.shape("proj.weight");
    int nEmbd = (int) shape[0];
    if (nEmbd % HEAD_SIZE != 0) {
      throw new UnsupportedArchitectureException(
          "%s is %d wide; a multiple of %d is expected"
              .formatted(w.name("proj.weight"), nEmbd, HEAD_SIZE));
    }
    width = (int) (shape.length > 1 ? shape[1] : 1);
    resampler = Resampler.of(w, said.nEmbd(), nEmbd, nEmbd / HEAD_SIZE, EPS);
    projection = Linear.of(w.at("proj"), nEmbd, width);
  }

  @Override
  public String name() {
    return "minicpm-v";
  }

  @Override
  public int width() {
    return width;
  }

  @Override
  public String imageMarker() {
    return "(<image>./</image>)";
  }

  @Override
  public String textBeforeImage(int index) {
    return v2_5 ? "" : "<image_id>" + index + "</image_id>";
  }

  @Override
  public String defaultChatTemplate() {
    return v2_5 ? LLAMA3 : QWEN2;
  }

  @Override
  public ImageInput prepare(RgbImage image) {
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
    pieces.add(ImagePiece.Rows.of(resampler.nQueries()));
    pieces.add(new ImagePiece.Text(after));
  }

  @Override
  public Tensor forward(EncoderGraph graph) {
    int nx = graph.gridX();
    int ny = graph.gridY();
    int[] places = new int[nx * ny];
    for (int i = 0; i < places.length; i++) {
      places[i] = place(i / nx, ny) * side + place(i % nx, nx);
    }
    Tensor indices = graph.indices("positions", places, (long) side * side);
    Tensor x = tower.forward(graph.pixels(), indices); // [nEmbd, nPatches, n]
    int nEmbd = resampler.width();
    Tensor positions = graph.table("sines", sines(nx, ny, nEmbd), nEmbd, (long) nx * ny);
    x = resampler.forward(x, positions).named("resampler");
    return projection.forward(x).named("projector.out");
  }

  /** The place in the table of the {@code i}-th of {@code n} patches that are spread over it. */
  private int place(int i, int n) {
    return (int) ((long) side * i / n);
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
