package dev.ocellus.vlm.imagetext;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.decode.CrossDecoderGraph;
import dev.ocellus.vlm.fusion.TextFormat;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.model.ModelKind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A model that writes a text about an image and cannot converse. */
public abstract sealed class ImageTextWriter extends ImageTextModel
    permits ImageCaptioner, VisualQuestionAnswerer {
  private final TextWriter writer;

  ImageTextWriter(OpenedModel<?> opened, CrossDecoderGraph decoder, TextFormat texts) {
    super(opened, texts);
    writer = new TextWriter(opened.runner(), decoder, texts);
  }

  final TextWriter writer() {
    return writer;
  }

  /**
   * Opens a GGUF file of either kind.
   *
   * @throws IOException if the file cannot be read
   * @throws dev.ocellus.vlm.model.WrongModelKindException if it is another kind of model
   * @throws dev.ocellus.OcellusException if it is damaged or of an unknown family
   */
  public static ImageTextWriter open(Path path, ImageTextOptions options) throws IOException {
    boolean answers = false;
    if (Files.isRegularFile(path)) {
      try (GgufFile file = GgufFile.open(path)) {
        answers = ModelKind.of(file.metadata()) == ModelKind.QUESTION_ANSWERER;
      }
    }
    return answers
        ? VisualQuestionAnswerer.open(path, options)
        : ImageCaptioner.open(path, options);
  }

  /** Always the likeliest token, 20 tokens at most, as the reference does without settings. */
  public static GenerationOptions defaults() {
    return Writing.defaults();
  }

  /**
   * Writes about an image: a caption, or the answer to a question.
   *
   * @param text the beginning of the caption, or the question
   * @param options tokens, sampling or beams, stop strings and log probabilities; grammars and
   *     tools are for chat models
   * @param listener told of the text as it is written; with beams, when it is found
   * @param flag stops it
   * @throws IllegalArgumentException for grammars and tools
   * @throws dev.ocellus.vlm.image.ImageFormatException if the image is too thin to be resized
   */
  public abstract Answer write(
      RgbImage image,
      String text,
      GenerationOptions options,
      AnswerListener listener,
      CancellationFlag flag);

  /** What the text that is written goes on from, as the model reads it; empty for nothing. */
  public String beginning(String text) {
    return "";
  }

  /** Frees everything; waits for what is being computed. */
  @Override
  public void close() {
    writer.close();
    super.close();
  }
}
