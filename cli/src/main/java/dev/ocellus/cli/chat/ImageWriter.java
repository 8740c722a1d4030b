package dev.ocellus.cli.chat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.OcellusException;
import dev.ocellus.cli.command.Checkpoints;
import dev.ocellus.cli.command.OcellusCommand;
import dev.ocellus.cli.options.ModelMixin;
import dev.ocellus.cli.terminal.Progress;
import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.convert.Converter;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.imagetext.ImageCaptioner;
import dev.ocellus.vlm.imagetext.ImageTextWriter;
import dev.ocellus.vlm.json.AnswerJson;
import dev.ocellus.vlm.model.ModelKind;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A model that writes about one image and is no chat model: it captions, or answers a question. It
 * stands in for one in describe and chat.
 */
final class ImageWriter implements AutoCloseable {
  private final ImageTextWriter model;

  private ImageWriter(ImageTextWriter model) {
    this.model = model;
  }

  /**
   * The model of the options, if it is of this kind; else nothing, and nothing is loaded. A
   * checkpoint is converted once.
   */
  static Optional<ImageWriter> open(OcellusCommand command, ModelMixin options, Progress progress)
      throws IOException {
    Path model = options.model();
    if (model == null || options.mmproj() != null) {
      return Optional.empty();
    }
    if (Checkpoints.isOne(model)) {
      if (!Converter.isOneFile(model)) {
        return Optional.empty();
      }
      model = Checkpoints.resolve(command, model, null).text();
    }
    if (!writes(model)) {
      return Optional.empty();
    }
    progress.start("loading " + command.nameOf(model));
    try {
      return Optional.of(
          new ImageWriter(ImageTextWriter.open(model, options.imageTextOptions(command))));
    } finally {
      progress.done();
    }
  }

  /** What cannot be read is told when it is opened for what it should be. */
  private static boolean writes(Path file) {
    try (GgufFile gguf = GgufFile.open(file)) {
      return ModelKind.CAPTIONER.isServedBy(gguf.metadata())
          || ModelKind.QUESTION_ANSWERER.isServedBy(gguf.metadata());
    } catch (IOException | OcellusException e) {
      return false;
    }
  }

  /** As the model generates without settings. */
  GenerationOptions defaults() {
    return ImageTextWriter.defaults();
  }

  /** Writes about an image. */
  Answer write(
      RgbImage image,
      String text,
      GenerationOptions options,
      AnswerListener listener,
      CancellationFlag flag) {
    return model.write(image, text, options, listener, flag);
  }

  /** What the text that is written goes on from, as the model reads it; empty for nothing. */
  String beginning(String text) {
    return model.beginning(text);
  }

  private boolean captions() {
    return model instanceof ImageCaptioner;
  }

  /** The text where none was given. */
  String defaultText() {
    return captions() ? "" : "What is in the picture?";
  }

  /** Says what of a text is left out. */
  void noteCut(OcellusCommand command, String text) {
    command.noteCut(text, model.contextLength(), model.tokenize(text).nDropped());
  }

  /** The answer as chat models' are printed. */
  ObjectNode json(Answer answer, GenerationOptions options) {
    String description =
        (captions() ? "captions images" : "answers questions about images")
            + " (%s)".formatted(model.family().equals("blip") ? "BLIP" : "InternVL-G");
    var answering =
        new AnswerJson.Model(
            model.path(),
            null,
            description,
            id -> model.token(id).getBytes(StandardCharsets.UTF_8));
    return AnswerJson.of(answer, options, answering, model.loadMillis());
  }

  @Override
  public void close() {
    model.close();
  }
}
