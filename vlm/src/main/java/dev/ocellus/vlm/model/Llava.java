package dev.ocellus.vlm.model;

import dev.ocellus.UnsupportedArchitectureException;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.image.Preprocess;
import dev.ocellus.vlm.image.ResizeFilter;
import dev.ocellus.vlm.image.Rgb;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.model.tower.ClipTower;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.Linear;
import dev.ocellus.vlm.vision.ConfigReader;
import dev.ocellus.vlm.vision.EncoderGraph;
import dev.ocellus.vlm.vision.ImageInput;
import dev.ocellus.vlm.vision.ImagePiece;
import dev.ocellus.vlm.vision.Tiles;
import dev.ocellus.vlm.vision.VisionArchitecture;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * LLaVA 1 and 1.5 (arXiv:2304.08485, arXiv:2310.03744): a CLIP tower, the class row dropped, or a
 * SigLIP tower, which has none, and a projector of one linear map or of two with a GELU between.
 * Weights under {@code v.} and {@code mm.}.
 *
 * <p>The reference is {@code LlavaForConditionalGeneration} of transformers with its {@code
 * CLIPImageProcessor}: shortest side to the image size, or to {@code preproc_image_size}, then a
 * centre crop. A file can ask for another fit by {@code clip.vision.image_aspect_ratio}, a key of
 * LLaVA's own configuration: {@code pad} (to a square, in the mean colour) or {@code stretch}, and
 * by {@code clip.vision.mm_vision_select_feature}, another, for the first row to be kept ({@code
 * cls_patch}) or dropped ({@code patch}).
 */
final class Llava implements VisionArchitecture {
  /** How an image is brought to a square. */
  private enum Fit {
    CROP,
    PAD,
    STRETCH
  }

  static final double[] CLIP_MEAN = {0.48145466, 0.4578275, 0.40821073};
  static final double[] CLIP_STD = {0.26862954, 0.26130258, 0.27577711};

  static final String VICUNA =
      "{% for message in messages %}{% if message['role'] == 'system' %}{{ message['content'] + ' ' }}"
          + "{% elif message['role'] == 'user' %}{{ 'USER: ' + message['content'] + ' ' }}"
          + "{% else %}{{ 'ASSISTANT: ' + message['content'] + eos_token }}{% endif %}{% endfor %}"
          + "{% if add_generation_prompt %}{{ 'ASSISTANT:' }}{% endif %}";

  private final ClipTower.Config config;
  private final Fit fit;
  private final int shortestSide;
  private final ResizeFilter filter;
  private final boolean dropsFirst;
  private final Normalize normalize;
  private final Rgb background;
  private final ClipTower tower;
  private final Linear first;
  private final @Nullable Linear second;
  private final int width;

  Llava(GgufMetadata metadata, Weights weights) {
    config = ClipTower.Config.of(metadata);
    fit = fit(metadata);
    var c = new ConfigReader(metadata, "clip.vision.");
    double[] mean = c.perChannel("image_mean", 0, 1, CLIP_MEAN);
    double[] std = c.perChannel("image_std", 1e-3, 1e3, CLIP_STD);
    normalize = Normalize.of(mean, std);
    background = new Rgb((int) (mean[0] * 255), (int) (mean[1] * 255), (int) (mean[2] * 255));
    filter = c.filter(ResizeFilter.BICUBIC);
    shortestSide = c.integer("preproc_image_size", 1, 1 << 14, config.imageSize());
    tower = new ClipTower(metadata, config, weights.at("v"));
    dropsFirst = dropsFirst(metadata, tower.nClass() == 1);
    Weights mm = weights.at("mm");
    long[] shape = mm.at(0).shape("weight");
    int hidden = (int) (shape.length > 1 ? shape[1] : 1);
    first = Linear.of(mm.at(0), config.nOut(), hidden);
    if (mm.has("2.weight")) {
      shape = mm.at(2).shape("weight");
      width = (int) (shape.length > 1 ? shape[1] : 1);
      second = Linear.of(mm.at(2), hidden, width);
    } else {
      width = hidden;
      second = null;
    }
  }

  private static Fit fit(GgufMetadata metadata) {
    String key = "clip.vision.image_aspect_ratio";
    String value = metadata.string(key, "crop");
    return switch (value) {
      case "crop" -> Fit.CROP;
      case "pad" -> Fit.PAD;
      case "stretch" -> Fit.STRETCH;
      default ->
          throw new UnsupportedArchitectureException(
              "%s: '%s' is not known; known are crop, pad, stretch".formatted(key, value));
    };
  }

  /** The row of the class says nothing about a place, so it is dropped unless the file asks. */
  private static boolean dropsFirst(GgufMetadata metadata, boolean hasClass) {
    String key = "clip.vision.mm_vision_select_feature";
    String value = metadata.string(key, "");
    return switch (value) {
      case "" -> hasClass;
      case "patch" -> true;
      case "cls_patch" -> false;
      default ->
          throw new UnsupportedArchitectureException(
              "%s: '%s' is not known; known are patch, cls_patch".formatted(key, value));
    };
  }

  private int nRows() {
    return tower.nClass() + config.nPatches() - (dropsFirst ? 1 : 0);
  }

  @Override
  public String name() {
    return "llava";
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
    return VICUNA;
  }

  @Override
  public ImageInput prepare(RgbImage image) {
    int side = config.imageSize();
    RgbImage square =
        switch (fit) {
          case CROP -> Preprocess.resizeAndCropToSquare(image, shortestSide, side, filter);
          case PAD ->
              Preprocess.stretch(Preprocess.padToSquare(image, background), side, side, filter);
          case STRETCH -> Preprocess.stretch(image, side, side, filter);
        };
    Tiles tile = Tiles.ofRgb(normalize.apply(square), side, side, 1, config.patchSize());
    return new ImageInput(
        List.of(tile), List.of(1, 3, side, side), 1, 1, List.of(ImagePiece.Rows.of(nRows())));
  }

  @Override
  public Tensor forward(EncoderGraph graph) {
    Tensor x = tower.forward(graph.pixels()); // [nOut, nClass + nPatches, n]
    if (dropsFirst) {
      x = x.slice(new long[] {0, 1}, x.size(0), nRows(), x.size(2)).contiguous();
    }
    x = first.forward(x);
    if (second != null) {
      x = second.forward(Activation.GELU.apply(x));
    }
    return x.named("projector.out");
  }
}
