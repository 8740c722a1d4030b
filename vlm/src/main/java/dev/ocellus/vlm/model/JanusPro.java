package dev.ocellus.vlm.model;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.image.Preprocess;
import dev.ocellus.vlm.image.ResizeFilter;
import dev.ocellus.vlm.image.Rgb;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.Attention;
import dev.ocellus.vlm.nn.LayerNorm;
import dev.ocellus.vlm.nn.Linear;
import dev.ocellus.vlm.nn.Mlp;
import dev.ocellus.vlm.nn.PatchEmbedding;
import dev.ocellus.vlm.vision.ConfigReader;
import dev.ocellus.vlm.vision.EncoderGraph;
import dev.ocellus.vlm.vision.ImageInput;
import dev.ocellus.vlm.vision.ImagePiece;
import dev.ocellus.vlm.vision.Tiles;
import dev.ocellus.vlm.vision.VisionArchitecture;
import java.util.ArrayList;
import java.util.List;

/**
 * The understanding half of Janus and Janus-Pro (arXiv:2410.13848, arXiv:2501.17811): a SigLIP
 * tower without its pooling, and a projector of linear maps with an activation between them.
 * Weights under {@code v.} and {@code mm.}.
 *
 * <p>The reference is {@code JanusForConditionalGeneration} of transformers with its {@code
 * JanusImageProcessorPil}: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/janus/modeling_janus.py">modeling_janus.py</a>,
 * <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/janus/image_processing_pil_janus.py">image_processing_pil_janus.py</a>.
 */
final class JanusPro implements VisionArchitecture {
  /** {@code min_size} of the published processors: no side gets shorter than this. */
  private static final int MIN_SIDE = 14;

  /** Mean and deviation of the published models. */
  private static final double[] HALF = {0.5, 0.5, 0.5};

  private static final String TEMPLATE =
      "{% for message in messages %}{% if message['role'] == 'user' %}"
          + "{{ '<|User|>: ' + message['content'] + '\\n\\n' }}"
          + "{% elif message['role'] == 'assistant' %}"
          + "{{ '<|Assistant|>: ' + message['content'] + eos_token }}"
          + "{% else %}{{ message['content'] + '\\n\\n' }}{% endif %}{% endfor %}"
          + "{% if add_generation_prompt %}{{ '<|Assistant|>:' }}{% endif %}";

  /**
   * @param imageSize pixels of a side
   * @param patchSize pixels of a patch's side
   * @param nEmbd width
   * @param nFf width between the two maps of a feed-forward block
   * @param nHead attention heads
   * @param nLayer layers
   * @param eps of the layer norms
   * @param activation of the feed-forward blocks and of the projector
   */
  private record Config(
      int imageSize,
      int patchSize,
      int nEmbd,
      int nFf,
      int nHead,
      int nLayer,
      float eps,
      Activation activation) {

    static Config of(GgufMetadata metadata) {
      var c = new ConfigReader(metadata, "clip.vision.");
      int nEmbd = c.integer("embedding_length", 1, 1 << 16);
      int nHead = c.integer("attention.head_count", 1, nEmbd);
      if (nEmbd % nHead != 0) {
        throw c.invalid("attention.head_count", "a divisor of " + nEmbd, Integer.toString(nHead));
      }
      int imageSize = c.integer("image_size", 1, 1 << 12);
      return new Config(
          imageSize,
          c.integer("patch_size", 1, imageSize),
          nEmbd,
          c.integer("feed_forward_length", 1, 1 << 18),
          nHead,
          c.integer("block_count", 1, 1024),
          c.positive("attention.layer_norm_epsilon", 1e-6f),
          c.activation(metadata.bool("clip.use_silu", false) ? Activation.SILU : Activation.GELU));
    }

    int nPatches() {
      int grid = imageSize / patchSize;
      return grid * grid;
    }
  }

  private record Block(LayerNorm ln1, Attention attention, LayerNorm ln2, Mlp mlp) {
    static Block of(Config c, Weights w) {
      return new Block(
          LayerNorm.of(w.at("ln1"), c.nEmbd, c.eps),
          Attention.of(w, c.nEmbd, c.nHead),
          LayerNorm.of(w.at("ln2"), c.nEmbd, c.eps),
          new Mlp(
              Linear.of(w.at("ffn_up"), c.nEmbd, c.nFf),
              c.activation,
              Linear.of(w.at("ffn_down"), c.nFf, c.nEmbd)));
    }

    Tensor forward(Tensor x) {
      x = x.add(attention.forward(ln1.forward(x)));
      return x.add(mlp.forward(ln2.forward(x)));
    }
  }

  private final Config config;
  private final Normalize normalize;
  private final ResizeFilter filter;
  private final int minSide;
  private final Rgb background;
  private final PatchEmbedding patches;
  private final Tensor positionEmbd;
  private final List<Block> blocks = new ArrayList<>();
  private final LayerNorm postLn;
  private final List<Linear> projector = new ArrayList<>();
  private final int width;

  JanusPro(GgufMetadata metadata, Weights weights) {
    Config c = Config.of(metadata);
    config = c;
    var reader = new ConfigReader(metadata, "clip.vision.");
    double[] mean = reader.perChannel("image_mean", 0, 1, HALF);
    normalize = Normalize.of(mean, reader.perChannel("image_std", 1e-3, 1e3, HALF));
    background = Rgb.ofMean(mean);
    filter = reader.filter(ResizeFilter.BICUBIC);
    minSide = reader.integer("preproc_min_size", 1, c.imageSize, Math.min(MIN_SIDE, c.imageSize));
    Weights v = weights.at("v");
    patches = PatchEmbedding.of(v.at("patch_embd"), c.patchSize, c.nEmbd);
    positionEmbd = v.f32("position_embd.weight", c.nEmbd, c.nPatches());
    for (int i = 0; i < c.nLayer; i++) {
      blocks.add(Block.of(c, v.at("blk").at(i)));
    }
    postLn = LayerNorm.of(v.at("post_ln"), c.nEmbd, c.eps);
    Weights mm = weights.at("mm");
    long[] shape = mm.at(0).shape("weight");
    width = (int) (shape.length > 1 ? shape[1] : 1);
    projector.add(Linear.of(mm.at(0), c.nEmbd, width));
    do { // two maps in the published models
      projector.add(Linear.of(mm.at(projector.size()), width, width));
    } while (mm.has(projector.size() + ".weight"));
  }

  @Override
  public String name() {
    return "janus-pro";
  }

  @Override
  public int width() {
    return width;
  }

  @Override
  public String imageMarker() {
    return "<image_placeholder>";
  }

  @Override
  public String defaultChatTemplate() {
    return TEMPLATE;
  }

  /** The longer side to the image size, the shorter one filled up in the mean colour. */
  @Override
  public ImageInput prepare(RgbImage image) {
    int side = config.imageSize;
    ImageSize size = fitted(image.size(), side, minSide);
    RgbImage fitted = Preprocess.stretch(image, size.width(), size.height(), filter);
    RgbImage square = Preprocess.padToSquare(fitted, background);
    return new ImageInput(
        List.of(Tiles.ofRgb(normalize.apply(square), side, side, 1, config.patchSize)),
        List.of(1, 3, side, side),
        1,
        1,
        List.of(
            new ImagePiece.Text("<begin_of_image>"),
            ImagePiece.Rows.of(config.nPatches()),
            new ImagePiece.Text("<end_of_image>")));
  }

  /** The longer side becomes {@code side}, the other one at least {@code least}. */
  static ImageSize fitted(ImageSize size, int side, int least) {
    double scale = (double) side / Math.max(size.width(), size.height());
    return new ImageSize(scaled(size.width(), scale, least), scaled(size.height(), scale, least));
  }

  /** Rounds halves to even, as Python does. */
  private static int scaled(int length, double scale, int least) {
    return Math.max((int) Math.rint(length * scale), least);
  }

  @Override
  public Tensor forward(EncoderGraph graph) {
    Tensor x = patches.forward(graph.pixels()).add(positionEmbd).named("embeddings");
    for (int i = 0; i < blocks.size(); i++) {
      x = blocks.get(i).forward(x).named("layer_" + (i + 1));
    }
    x = postLn.forward(x).named("vision.last_hidden"); // [nEmbd, nPatches, 1]
    x = projector.getFirst().forward(x);
    for (Linear map : projector.subList(1, projector.size())) {
      x = map.forward(config.activation.apply(x));
    }
    return x.named("projector.out");
  }
}
