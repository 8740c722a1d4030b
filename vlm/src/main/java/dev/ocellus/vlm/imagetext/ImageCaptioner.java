package dev.ocellus.vlm.imagetext;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.compute.ComputationCancelledException;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.fusion.CaptionArchitecture;
import dev.ocellus.vlm.fusion.TextIds;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.model.ModelRegistry;
import java.io.IOException;
import java.nio.file.Path;

/**
 * A model that captions images, such as BLIP.
 *
 * <pre>{@code
 * try (ImageCaptioner blip = ImageCaptioner.open(Path.of("blip-caption.gguf"))) {
 *   RgbImage image = ImageDecoder.decode(Path.of("beach.jpg"));
 *   String caption = blip.caption(image);
 *   String begun = blip.caption(image, "a photography of");
 * }
 * }</pre>
 *
 * <p>The likeliest tokens are taken, 20 of them at most, unless options say otherwise. A caption
 * that was begun goes on from it.
 *
 * <p>Thread-safe; one caption is computed at a time.
 */
public final class ImageCaptioner extends ImageTextWriter {
  private final OpenedModel<CaptionArchitecture> model;

  private ImageCaptioner(OpenedModel<CaptionArchitecture> model) {
    super(model, model.architecture().decoder(), model.architecture().texts());
    this.model = model;
  }

  /**
   * Opens a GGUF file as {@link ImageTextOptions#defaults()} say.
   *
   * @see #open(Path, ImageTextOptions)
   */
  public static ImageCaptioner open(Path path) throws IOException {
    return open(path, ImageTextOptions.defaults());
  }

  /**
   * Opens a GGUF file that {@code dev.ocellus.convert} makes of a HuggingFace checkpoint.
   *
   * @throws IOException if the file cannot be read
   * @throws dev.ocellus.vlm.model.WrongModelKindException if it is another kind of model
   * @throws dev.ocellus.OcellusException if it is damaged or of an unknown family
   */
  public static ImageCaptioner open(Path path, ImageTextOptions options) throws IOException {
    return new ImageCaptioner(
        OpenedModel.open(path, options, ModelRegistry::captioner, CaptionArchitecture::images));
  }

  /** The caption of an image. */
  public String caption(RgbImage image) {
    return caption(image, "");
  }

  /**
   * The caption of an image, with its beginning.
   *
   * @param begun its first words, such as {@code a photography of}; empty for none
   */
  public String caption(RgbImage image, String begun) {
    Answer answer = caption(image, begun, defaults(), AnswerListener.NONE, new CancellationFlag());
    return answer.parts().continued() + answer.content();
  }

  /**
   * Captions an image.
   *
   * @param begun the first words of the caption; empty for none. Its end is left out where it is
   *     longer than {@link #contextLength()} ({@link #tokenize}).
   * @param options tokens, sampling or beams, stop strings and log probabilities; grammars and
   *     tools are for chat models
   * @param listener told of the text behind the beginning as it is written
   * @param flag stops it
   * @return whose content is the text behind the beginning, and whose {@code parts().continued()}
   *     is the beginning as the model read it
   * @throws IllegalArgumentException for grammars and tools
   * @throws dev.ocellus.vlm.image.ImageFormatException if the image is too thin to be resized
   */
  public Answer caption(
      RgbImage image,
      String begun,
      GenerationOptions options,
      AnswerListener listener,
      CancellationFlag flag) {
    Writing.requirePlain(options);
    int[] beginning = tokenize(begun).ids();
    var prompt = new Writing.Prompt(begun, beginning, beginning(begun));
    OpenedModel.Encoded states;
    try {
      states = model.encode(image, flag);
    } catch (ComputationCancelledException e) {
      return Writing.cancelled(begun);
    }
    return Writing.answer(
        prompt,
        states,
        () -> writer().write(states.values(), states.n(), beginning, options, listener, flag));
  }

  @Override
  public Answer write(
      RgbImage image,
      String text,
      GenerationOptions options,
      AnswerListener listener,
      CancellationFlag flag) {
    return caption(image, text, options, listener, flag);
  }

  /** The beginning of a caption as the model reads it, such as in small letters. */
  @Override
  public String beginning(String begun) {
    return texts().shown(tokenize(begun).ids());
  }

  /** The beginning of a caption as the decoder takes it. */
  @Override
  public TextIds tokenize(String begun) {
    return texts().beginning(begun);
  }

  /**
   * Logits after each of some ids, for comparing them with a reference.
   *
   * @return a row of the vocabulary's size for each id
   */
  public float[][] logits(RgbImage image, int[] ids) {
    OpenedModel.Encoded states = model.encode(image, new CancellationFlag());
    return writer().logits(states.values(), states.n(), ids);
  }

  @Override
  public String family() {
    return model.architecture().name();
  }
}
