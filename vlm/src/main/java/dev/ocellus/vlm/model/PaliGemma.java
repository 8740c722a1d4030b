package dev.ocellus.vlm.model;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.image.Preprocess;
import dev.ocellus.vlm.image.ResizeFilter;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.model.tower.SiglipTower;
import dev.ocellus.vlm.nn.Linear;
import dev.ocellus.vlm.vision.ConfigReader;
import dev.ocellus.vlm.vision.EncoderGraph;
import dev.ocellus.vlm.vision.ImageInput;
import dev.ocellus.vlm.vision.ImagePiece;
import dev.ocellus.vlm.vision.Tiles;
import dev.ocellus.vlm.vision.VisionArchitecture;
import java.util.List;

/**
 * PaliGemma (arXiv:2407.07726) and PaliGemma 2 (arXiv:2412.03555): every image is stretched to one
 * square and goes through a SigLIP tower and one linear map. The text model, Gemma or Gemma 2, sees
 * all of the prompt at once. Weights under {@code v.} and {@code mm.model.fc}.
 *
 * <p>The reference is {@code PaliGemmaForConditionalGeneration} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/paligemma/modeling_paligemma.py">modeling_paligemma.py</a>,
 * <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/paligemma/processing_paligemma.py">processing_paligemma.py</a>.
 *
 * <p>Gemma multiplies the embeddings of tokens by the root of their width. libllama's graphs do so
 * with whatever comes in, so the rows of an image are divided by it here.
 */
final class PaliGemma implements VisionArchitecture {
  private static final double[] HALF = {0.5, 0.5, 0.5};

  /** The images, then the beginning of the sequence, then the text with a line end. */
  private static final String TEMPLATE =
      "{% for message in messages %}{% for part in message['content'] if part['type'] == 'image' %}{{ '<image>' }}{% endfor %}{% endfor %}"
          + "{{ bos_token }}"
          + "{% for message in messages %}{% for part in message['content'] if part['type'] == 'text' %}{{ part['text'] }}{% endfor %}{{ '\\n' }}{% endfor %}";

  private final SiglipTower.Config config;
  private final Normalize normalize;
  private final ResizeFilter filter;
  private final SiglipTower tower;
  private final Linear projector;
  private final int width;

  PaliGemma(GgufMetadata metadata, Weights weights) {
    config = SiglipTower.Config.of(metadata);
    var c = new ConfigReader(metadata, "clip.vision.");
    normalize =
        Normalize.of(
            c.perChannel("image_mean", 0, 1, HALF), c.perChannel("image_std", 1e-3, 1e3, HALF));
    filter = c.filter(ResizeFilter.BICUBIC);
    tower = new SiglipTower(config, weights.at("v"));
    Weights fc = weights.at("mm").at("model").at("fc");
    long[] shape = fc.shape("weight");
    width = (int) (shape.length > 1 ? shape[1] : 1);
    projector = Linear.of(fc, config.nEmbd(), width);
  }

  @Override
  public String name() {
    return "paligemma";
  }

  @Override
  public int width() {
    return width;
  }

  @Override
  public String imageMarker() {
    return "<image>";
  }

  @Override
  public String defaultChatTemplate() {
    return TEMPLATE;
  }

  @Override
  public boolean usesBidirectionalPrefix() {
    return true;
  }

  @Override
  public ImageInput prepare(RgbImage image) {
    int side = config.imageSize();
    RgbImage square = Preprocess.stretch(image, side, side, filter);
    return new ImageInput(
        List.of(Tiles.ofRgb(normalize.apply(square), side, side, 1, config.patchSize())),
        List.of(1, 3, side, side),
        1,
        1,
        List.of(ImagePiece.Rows.of(config.nPatches())));
  }

  @Override
  public Tensor forward(EncoderGraph graph) {
    Tensor x = projector.forward(tower.forward(graph.pixels())).named("projector.raw");
    return x.scale((float) (1 / Math.sqrt(width))).named("projector.out");
  }
}
