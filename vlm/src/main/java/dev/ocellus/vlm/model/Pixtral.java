package dev.ocellus.vlm.model;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.image.Preprocess;
import dev.ocellus.vlm.image.ResizeFilter;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.model.tower.PixtralTower;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.Linear;
import dev.ocellus.vlm.nn.Mlp;
import dev.ocellus.vlm.nn.RmsNorm;
import dev.ocellus.vlm.vision.ConfigReader;
import dev.ocellus.vlm.vision.EncoderGraph;
import dev.ocellus.vlm.vision.ImageInput;
import dev.ocellus.vlm.vision.ImagePiece;
import dev.ocellus.vlm.vision.Tiles;
import dev.ocellus.vlm.vision.VisionArchitecture;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Pixtral (arXiv:2410.07073) and Mistral Small 3: an image keeps its aspect ratio, its lines stand
 * in the prompt with a token behind each, and two linear maps project. Mistral 3 first merges
 * squares of patches. Weights under {@code v.} and {@code mm.}.
 *
 * <p>The reference is {@code LlavaForConditionalGeneration} of transformers with a Pixtral tower,
 * and {@code Mistral3ForConditionalGeneration}: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/pixtral/image_processing_pil_pixtral.py">image_processing_pil_pixtral.py</a>,
 * <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/mistral3/modeling_mistral3.py">modeling_mistral3.py</a>.
 * The reference pads the images of a prompt to one size and cuts the padding off again; here there
 * is none. {@code v.token_embd.img_break}, which files carry for others, is not needed: the text
 * model has that embedding.
 */
final class Pixtral implements VisionArchitecture {
  private static final double[] MEAN = {0.48145466, 0.4578275, 0.40821073};
  private static final double[] STD = {0.26862954, 0.26130258, 0.27577711};

  /** Of the published text models, whose epsilon the reference takes for the merger's norm. */
  private static final float MERGER_EPS = 1e-5f;

  private static final String TEMPLATE =
      "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'assistant' %}"
          + "{% for part in message['content'] %}{{ part['text'] }}{% endfor %}{{ eos_token }}"
          + "{% else %}{{ '[INST]' }}"
          + "{% for part in message['content'] %}{{ '[IMG]' if part['type'] == 'image' else part['text'] }}{% endfor %}"
          + "{{ '[/INST]' }}{% endif %}{% endfor %}";

  /** Squares of patches become one row each. */
  private record Merger(RmsNorm norm, Linear linear, int nEmbd, int size) {
    static Merger of(Weights mm, int nEmbd, int size, float eps) {
      return new Merger(
          RmsNorm.of(mm.at("input_norm"), nEmbd, eps),
          Linear.of(mm.at("patch_merger"), (long) nEmbd * size * size, nEmbd),
          nEmbd,
          size);
    }

    /** In a square the channel is the slowest, the column the fastest. */
    Tensor forward(Tensor x, long gridX, long gridY) {
      long nx = gridX / size;
      long ny = gridY / size;
      long square = (long) size * size;
      x =
          norm.forward(x)
              .transpose()
              .contiguous() // [patch, channel]
              .reshape(size, nx, size, ny * nEmbd)
              .permute(0, 2, 1, 3)
              .contiguous() // [x in square, y in square, square x, square y and channel]
              .reshape(square, nx * ny, nEmbd)
              .permute(0, 2, 1, 3)
              .contiguous()
              .reshape(square * nEmbd, nx * ny);
      return linear.forward(x);
    }
  }

  private final PixtralTower.Config config;
  private final int longestSide;
  private final int mergeSize;
  private final Normalize normalize;
  private final ResizeFilter filter;
  private final PixtralTower tower;
  private final @Nullable Merger merger;
  private final Mlp projector;
  private final int width;

  Pixtral(GgufMetadata metadata, Weights weights) {
    config = PixtralTower.Config.of(metadata);
    var c = new ConfigReader(metadata, "clip.vision.");
    longestSide = c.integer("preproc_image_size", 1, 1 << 12, config.imageSize());
    mergeSize = c.integer("spatial_merge_size", 1, 16, 1);
    normalize =
        Normalize.of(
            c.perChannel("image_mean", 0, 1, MEAN), c.perChannel("image_std", 1e-3, 1e3, STD));
    filter = c.filter(ResizeFilter.BICUBIC);
    tower = new PixtralTower(config, weights.at("v"));
    Weights mm = weights.at("mm");
    boolean merges = mergeSize > 1 || mm.has("patch_merger.weight");
    float eps = c.positive("projector.layer_norm_epsilon", MERGER_EPS);
    merger = merges ? Merger.of(mm, config.nEmbd(), mergeSize, eps) : null;
    long[] first = mm.at(1).shape("weight");
    int hidden = (int) (first.length > 1 ? first[1] : 1);
    long[] second = mm.at(2).shape("weight");
    width = (int) (second.length > 1 ? second[1] : 1);
    projector =
        new Mlp(
            Linear.of(mm.at(1), config.nEmbd(), hidden),
            Activation.GELU,
            Linear.of(mm.at(2), hidden, width));
  }

  @Override
  public String name() {
    return "pixtral";
  }

  @Override
  public int width() {
    return width;
  }

  @Override
  public String imageMarker() {
    return "[IMG]";
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
  public ImageInput prepare(RgbImage image) {
    ImageSize size = resized(image.size(), longestSide, config.patchSize() * mergeSize);
    RgbImage whole = Preprocess.stretch(image, size.width(), size.height(), filter);
    Tiles tile =
        Tiles.alone(normalize.apply(whole), size.width(), size.height(), config.patchSize());
    return new ImageInput(
        List.of(tile), List.of(1, 3, size.height(), size.width()), 1, 1, layout(tile));
  }

  /**
   * No side longer than allowed, then both rounded up to what becomes one row.
   *
   * @param unit pixels of a row's side
   */
  static ImageSize resized(ImageSize size, int longestSide, int unit) {
    int width = size.width();
    int height = size.height();
    double ratio = Math.max((double) height / longestSide, (double) width / longestSide);
    if (ratio > 1) {
      width = (int) Math.floor(width / ratio);
      height = (int) Math.floor(height / ratio);
    }
    if (width == 0 || height == 0) {
      throw new ImageFormatException(
          ImageFormatException.Kind.UNSUPPORTED,
          "An image of %s pixels is too thin: with a longer side of at most %d, which this model takes, nothing is left of the shorter one. Crop it or cut it into parts."
              .formatted(size, longestSide));
    }
    return new ImageSize(Math.ceilDiv(width, unit) * unit, Math.ceilDiv(height, unit) * unit);
  }

  private List<ImagePiece> layout(Tiles tile) {
    int nx = tile.gridX() / mergeSize;
    int ny = tile.gridY() / mergeSize;
    List<ImagePiece> pieces = new ArrayList<>();
    for (int y = 1; y <= ny; y++) {
      pieces.add(ImagePiece.Rows.of(nx));
      pieces.add(new ImagePiece.Text(y < ny ? "[IMG_BREAK]" : "[IMG_END]"));
    }
    return pieces;
  }

  @Override
  public Tensor forward(EncoderGraph graph) {
    Tensor x = tower.forward(graph);
    if (merger != null) {
      x = merger.forward(x, graph.gridX(), graph.gridY());
    }
    return projector.forward(x).named("projector.out");
  }
}
