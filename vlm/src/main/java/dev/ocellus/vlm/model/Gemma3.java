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
import dev.ocellus.vlm.vision.ConfigReader;
import dev.ocellus.vlm.vision.EncoderGraph;
import dev.ocellus.vlm.vision.ImageInput;
import dev.ocellus.vlm.vision.ImageOptions;
import dev.ocellus.vlm.vision.ImagePiece;
import dev.ocellus.vlm.vision.ImagePlaceholder;
import dev.ocellus.vlm.vision.Tiles;
import dev.ocellus.vlm.vision.VisionArchitecture;
import java.util.ArrayList;
import java.util.List;

/**
 * Gemma 3 (arXiv:2503.19786): every image is stretched to one square, goes through a SigLIP tower,
 * squares of its patches are averaged, normed and projected. The rows of an image see each other in
 * the text model. Weights under {@code v.} and {@code mm.}.
 *
 * <p>The reference is {@code Gemma3ForConditionalGeneration} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/gemma3/modeling_gemma3.py">modeling_gemma3.py</a>.
 * {@linkplain PanAndScan Pan and scan} is off unless it is asked for, as in published
 * preprocessors. The converter has added the 1 that Gemma's norms add to their weights.
 */
final class Gemma3 implements VisionArchitecture {
  private static final double[] HALF = {0.5, 0.5, 0.5};

  private static final String TEMPLATE =
      "{{ bos_token }}{% for message in messages %}"
          + "{{ '<start_of_turn>' + ('model' if message['role'] == 'assistant' else 'user') + '\\n' }}"
          + "{% for part in message['content'] %}{{ '<start_of_image>' if part['type'] == 'image' else part['text'] | trim }}{% endfor %}"
          + "{{ '<end_of_turn>\\n' }}{% endfor %}"
          + "{% if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{% endif %}";

  private final SiglipTower.Config config;
  private final int poolSize;
  private final Normalize normalize;
  private final ResizeFilter filter;
  private final SiglipTower tower;
  private final Tensor normWeight;
  private final Tensor projection;
  private final int width;

  Gemma3(GgufMetadata metadata, Weights weights) {
    config = SiglipTower.Config.of(metadata);
    var c = new ConfigReader(metadata, "clip.vision.");
    // the converter leaves the key out where it is 4, as in all published models
    poolSize = c.integer("projector.scale_factor", 1, config.grid(), 4);
    if (poolSize > config.grid()) {
      throw c.invalid(
          "image_size",
          "a tile of at least %d patches a side".formatted(poolSize),
          Integer.toString(config.imageSize()));
    }
    normalize =
        Normalize.of(
            c.perChannel("image_mean", 0, 1, HALF), c.perChannel("image_std", 1e-3, 1e3, HALF));
    filter = c.filter(ResizeFilter.BILINEAR);
    tower = new SiglipTower(config, weights.at("v"));
    Weights mm = weights.at("mm");
    normWeight = mm.f32("soft_emb_norm.weight", config.nEmbd());
    width = (int) mm.shape("input_projection.weight")[0];
    // it is F16 in files that are F32 otherwise; a product with it would round the rows to F16, too
    projection = mm.f32("input_projection.weight", width, config.nEmbd());
  }

  @Override
  public String name() {
    return "gemma3";
  }

  @Override
  public int width() {
    return width;
  }

  @Override
  public String imageMarker() {
    return "<start_of_image>";
  }

  @Override
  public String textBeforeImage() {
    return "\n\n<start_of_image>";
  }

  @Override
  public String textAfterImage() {
    return "<end_of_image>\n\n";
  }

  @Override
  public String writtenImage() {
    return imageMarker();
  }

  @Override
  public String defaultChatTemplate() {
    return TEMPLATE;
  }

  @Override
  public boolean usesNonCausalImageAttention() {
    return true;
  }

  @Override
  public boolean pansAndScans() {
    return true;
  }

  @Override
  public ImagePlaceholder place(RgbImage image, int nImages, ImageOptions options) {
    ImagePlaceholder whole = VisionArchitecture.super.place(image, nImages, options);
    boolean cut = options.panAndScan() && !PanAndScan.crops(image.size()).isEmpty();
    return cut
        ? new ImagePlaceholder(
            whole.marker(), PanAndScan.BEFORE + whole.before(), whole.after(), whole.written())
        : whole;
  }

  @Override
  public ImageInput prepare(RgbImage image) {
    return prepare(image, ImageOptions.DEFAULT);
  }

  @Override
  public ImageInput prepare(RgbImage image, ImageOptions options) {
    int side = config.imageSize();
    List<RgbImage> squares = new ArrayList<>();
    squares.add(square(image));
    if (options.panAndScan()) {
      PanAndScan.crops(image.size()).stream()
          .map(crop -> square(crop.of(image)))
          .forEach(squares::add);
    }
    return new ImageInput(
        List.of(Tiles.ofImages(squares, normalize, config.patchSize())),
        List.of(squares.size(), 3, side, side),
        1,
        1,
        layout(squares.size()));
  }

  private RgbImage square(RgbImage image) {
    int side = config.imageSize();
    return Preprocess.stretch(image, side, side, filter);
  }

  /** The whole image, then its crops, each as an image stands in a prompt. */
  private List<ImagePiece> layout(int n) {
    int perSide = config.grid() / poolSize;
    ImagePiece rows = ImagePiece.Rows.of(perSide * perSide);
    List<ImagePiece> pieces = new ArrayList<>();
    pieces.add(rows);
    for (int i = 1; i < n; i++) {
      String between = i == 1 ? PanAndScan.BETWEEN : " ";
      pieces.add(new ImagePiece.Text(textAfterImage() + between + textBeforeImage()));
      pieces.add(rows);
    }
    return pieces;
  }

  @Override
  public Tensor forward(EncoderGraph graph) {
    Tensor x = pool(tower.forward(graph.pixels()));
    x = x.rmsNorm(config.eps()).mul(normWeight);
    Tensor matrix = projection.inGraphOf(x).transpose().contiguous(); // stored as [width, nEmbd]
    return x.mulMat(matrix).named("projector.out");
  }

  /** Means of squares of patches; those at the right and at the bottom that fill none are left. */
  private Tensor pool(Tensor x) {
    long nEmbd = config.nEmbd();
    long k = poolSize;
    long grid = config.grid();
    long perSide = grid / k;
    long n = x.size(2);
    x =
        x.reshape(nEmbd, grid, grid, n)
            .slice(new long[] {}, nEmbd, perSide * k, perSide * k, n)
            .contiguous();
    // along the lines, then down the columns
    x = sumOfMiddle(x.reshape(nEmbd, k, perSide, perSide * k * n));
    x = sumOfMiddle(x.reshape(nEmbd * perSide, k, perSide, n));
    return x.scale(1f / (k * k)).reshape(nEmbd, perSide * perSide, n);
  }

  /** [a, k, b, c] to [a, 1, b, c]. */
  private static Tensor sumOfMiddle(Tensor x) {
    Tensor sum = middle(x, 0);
    for (int i = 1; i < x.size(1); i++) {
      sum = sum.add(middle(x, i));
    }
    return sum;
  }

  private static Tensor middle(Tensor x, int i) {
    return x.slice(new long[] {0, i}, x.size(0), 1, x.size(2), x.size(3)).contiguous();
  }
}
