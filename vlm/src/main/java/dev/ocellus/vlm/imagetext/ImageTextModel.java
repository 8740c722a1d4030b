package dev.ocellus.vlm.imagetext;

import dev.ocellus.ggml.Device;
import dev.ocellus.vlm.fusion.TextFormat;
import dev.ocellus.vlm.fusion.TextIds;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.vision.Tiles;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * A model whose texts attend to images, such as BLIP, whatever it does with them. Thread-safe.
 *
 * @see ImageCaptioner
 * @see VisualQuestionAnswerer
 * @see ImageTextMatcher
 */
public abstract sealed class ImageTextModel implements AutoCloseable
    permits ImageTextMatcher, ImageTextWriter {
  private final OpenedModel<?> opened;
  private final TextFormat texts;

  /**
   * @param opened closed with this
   */
  ImageTextModel(OpenedModel<?> opened, TextFormat texts) {
    this.opened = opened;
    this.texts = texts;
  }

  final TextFormat texts() {
    return texts;
  }

  /** The name of its family, such as {@code blip}. */
  public abstract String family();

  /** A text as the model takes it. */
  public abstract TextIds tokenize(String text);

  /** Most tokens of a text. */
  public final int contextLength() {
    return texts.contextLength();
  }

  /** A token as the vocabulary writes it. */
  public final String token(int id) {
    return texts.token(id);
  }

  /** The file. */
  public final Path path() {
    return opened.path();
  }

  /** Where it computes. */
  public final Device device() {
    return opened.device();
  }

  /** How long opening took. */
  public final double loadMillis() {
    return opened.loadMillis();
  }

  /** An image as the image encoder takes it. */
  public final Tiles prepare(RgbImage image) {
    return opened.prepare(image);
  }

  /**
   * Named stages of encoding an image, for comparing them with a reference.
   *
   * @param names which, or none for all
   */
  public final Map<String, float[]> stages(RgbImage image, List<String> names) {
    return opened.stages(image, names);
  }

  /** Frees everything; waits for what is being computed. */
  @Override
  public void close() {
    opened.close();
  }
}
