package dev.ocellus.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.OcellusException;
import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.convert.Converter;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.imagetext.ImageCaptioner;
import dev.ocellus.vlm.imagetext.ImageTextOptions;
import dev.ocellus.vlm.imagetext.VisualQuestionAnswerer;
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
abstract sealed class ImageWriter implements AutoCloseable {
  private final Path file;

  private ImageWriter(Path file) {
    this.file = file;
  }

  /**
   * The model of the options, if it is of this kind; else nothing, and nothing is loaded. A
   * checkpoint is converted once.
   */
  static Optional<ImageWriter> open(OcellusCommand command, ModelMixin options, Progress progress)
      throws IOException {
    Path model = options.model;
    if (model == null || options.mmproj != null) {
      return Optional.empty();
    }
    if (Converter.isCheckpoint(model)) {
      if (!Converter.isOneFile(model)) {
        return Optional.empty();
      }
      model = Checkpoints.resolve(command, model, null).text();
    }
    ModelKind kind = kind(model);
    if (kind != ModelKind.CAPTIONER && kind != ModelKind.QUESTION_ANSWERER) {
      return Optional.empty();
    }
    ContextOptions context = command.checked(options::contextOptions);
    boolean gpu = command.checked(options::modelOptions).nGpuLayers() != 0;
    var how =
        new ImageTextOptions(
            context.nThreads(), gpu, options.visionPrecision, options.acceleration.accelerator);
    progress.start("loading " + model.getFileName());
    try {
      return Optional.of(
          kind == ModelKind.CAPTIONER
              ? new Captioner(model, ImageCaptioner.open(model, how))
              : new Answerer(model, VisualQuestionAnswerer.open(model, how)));
    } finally {
      progress.done();
    }
  }

  /** What cannot be read is told when it is opened for what it should be. */
  private static ModelKind kind(Path file) {
    try (GgufFile gguf = GgufFile.open(file)) {
      return ModelKind.of(gguf.metadata());
    } catch (IOException | OcellusException e) {
      return ModelKind.UNKNOWN;
    }
  }

  /** As the model generates without settings. */
  final GenerationOptions defaults() {
    return ImageCaptioner.defaults();
  }

  /** Writes about an image. */
  abstract Answer write(
      RgbImage image,
      String text,
      GenerationOptions options,
      AnswerListener listener,
      CancellationFlag flag);

  /** What the text that is written goes on from, as the model reads it; empty for nothing. */
  abstract String beginning(String text);

  /** The text where none was given. */
  abstract String defaultText();

  /** Says what of a text is left out. */
  abstract void noteCut(OcellusCommand command, String text);

  abstract double loadMillis();

  abstract String description();

  abstract String token(int id);

  @Override
  public abstract void close();

  /** The answer as chat models' are printed. */
  final ObjectNode json(Answer answer, GenerationOptions options) {
    var answering =
        new AnswerJson.Model(
            file, null, description(), id -> token(id).getBytes(StandardCharsets.UTF_8));
    return AnswerJson.of(answer, options, answering, loadMillis());
  }

  private static final class Captioner extends ImageWriter {
    private final ImageCaptioner model;

    Captioner(Path file, ImageCaptioner model) {
      super(file);
      this.model = model;
    }

    @Override
    Answer write(
        RgbImage image,
        String text,
        GenerationOptions options,
        AnswerListener listener,
        CancellationFlag flag) {
      return model.caption(image, text, options, listener, flag);
    }

    @Override
    String beginning(String text) {
      return model.beginning(text);
    }

    @Override
    String defaultText() {
      return "";
    }

    @Override
    void noteCut(OcellusCommand command, String text) {
      MatchCommand.noteCut(command, text, model.tokenize(text), model.contextLength());
    }

    @Override
    double loadMillis() {
      return model.loadMillis();
    }

    @Override
    String description() {
      return "captions images (BLIP)";
    }

    @Override
    String token(int id) {
      return model.token(id);
    }

    @Override
    public void close() {
      model.close();
    }
  }

  private static final class Answerer extends ImageWriter {
    private final VisualQuestionAnswerer model;

    Answerer(Path file, VisualQuestionAnswerer model) {
      super(file);
      this.model = model;
    }

    @Override
    Answer write(
        RgbImage image,
        String text,
        GenerationOptions options,
        AnswerListener listener,
        CancellationFlag flag) {
      return model.answer(image, text, options, listener, flag);
    }

    @Override
    String beginning(String text) {
      return "";
    }

    @Override
    String defaultText() {
      return "What is in the picture?";
    }

    @Override
    void noteCut(OcellusCommand command, String text) {
      MatchCommand.noteCut(command, text, model.tokenize(text), model.contextLength());
    }

    @Override
    double loadMillis() {
      return model.loadMillis();
    }

    @Override
    String description() {
      return "answers questions about images (BLIP)";
    }

    @Override
    String token(int id) {
      return model.token(id);
    }

    @Override
    public void close() {
      model.close();
    }
  }
}
