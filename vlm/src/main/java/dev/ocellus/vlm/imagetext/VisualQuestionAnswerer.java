package dev.ocellus.vlm.imagetext;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.compute.ComputationCancelledException;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.fusion.QuestionArchitecture;
import dev.ocellus.vlm.fusion.TextIds;
import dev.ocellus.vlm.graph.GraphRun;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.model.ModelRegistry;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * A model that answers questions about images, such as BLIP.
 *
 * <pre>{@code
 * try (VisualQuestionAnswerer blip = VisualQuestionAnswerer.open(Path.of("blip-vqa.gguf"))) {
 *   RgbImage image = ImageDecoder.decode(Path.of("beach.jpg"));
 *   String answer = blip.answer(image, "How many dogs are in the picture?");
 * }
 * }</pre>
 *
 * <p>The likeliest tokens are taken, 20 of them at most, unless options say otherwise. The last
 * image is kept, so that further questions about it are answered sooner.
 *
 * <p>Thread-safe; one answer is computed at a time.
 */
public final class VisualQuestionAnswerer extends ImageTextWriter {
  private static final String IDS = "ids";
  private static final String IMAGE = "image";
  private static final String STATES = "states";

  private final OpenedModel<QuestionArchitecture> model;

  private VisualQuestionAnswerer(OpenedModel<QuestionArchitecture> model) {
    super(model, model.architecture().decoder(), model.architecture().texts());
    this.model = model;
  }

  /**
   * Opens a GGUF file as {@link ImageTextOptions#defaults()} say.
   *
   * @see #open(Path, ImageTextOptions)
   */
  public static VisualQuestionAnswerer open(Path path) throws IOException {
    return open(path, ImageTextOptions.defaults());
  }

  /**
   * Opens a GGUF file that {@code dev.ocellus.convert} makes of a HuggingFace checkpoint.
   *
   * @throws IOException if the file cannot be read
   * @throws dev.ocellus.vlm.model.WrongModelKindException if it is another kind of model
   * @throws dev.ocellus.OcellusException if it is damaged or of an unknown family
   */
  public static VisualQuestionAnswerer open(Path path, ImageTextOptions options)
      throws IOException {
    return new VisualQuestionAnswerer(
        OpenedModel.open(
            path, options, ModelRegistry::questionAnswerer, QuestionArchitecture::images));
  }

  /** The answer to a question about an image. */
  public String answer(RgbImage image, String question) {
    return answer(image, question, defaults(), AnswerListener.NONE, new CancellationFlag())
        .content();
  }

  /**
   * Answers a question about an image.
   *
   * @param question whose end is left out where it is longer than {@link #contextLength()} ({@link
   *     #tokenize})
   * @param options tokens, sampling or beams, stop strings and log probabilities; grammars and
   *     tools are for chat models
   * @param listener told of the answer as it is written
   * @param flag stops it
   * @throws IllegalArgumentException for grammars and tools
   * @throws dev.ocellus.vlm.image.ImageFormatException if the image is too thin to be resized
   */
  public Answer answer(
      RgbImage image,
      String question,
      GenerationOptions options,
      AnswerListener listener,
      CancellationFlag flag) {
    Writing.requirePlain(options);
    int[] ids = tokenize(question).ids();
    OpenedModel.Encoded encoded;
    try {
      encoded = model.encode(image, flag);
    } catch (ComputationCancelledException e) {
      return Writing.cancelled(question);
    }
    int[] beginning = texts().beginning("").ids();
    return Writing.answer(
        new Writing.Prompt(question, ids, ""),
        encoded,
        () -> {
          float[] states = states(encoded, ids, flag);
          return writer().write(states, ids.length, beginning, options, listener, flag);
        });
  }

  @Override
  public Answer write(
      RgbImage image,
      String text,
      GenerationOptions options,
      AnswerListener listener,
      CancellationFlag flag) {
    return answer(image, text, options, listener, flag);
  }

  /** The states of a question that has looked at an image. */
  private float[] states(OpenedModel.Encoded image, int[] ids, CancellationFlag flag) {
    try (GraphRun run =
        model
            .runner()
            .start(
                List.of("question", ids.length, image.n()),
                graph -> {
                  var questions = model.architecture().questions();
                  Tensor input = graph.indices(IDS, ids.length, questions.nTokens());
                  Tensor seen = model.statesInput(graph, IMAGE, image);
                  graph.output(STATES, questions.forward(graph, input, seen));
                })) {
      return run.set(IDS, ids).set(IMAGE, image.values()).compute(flag).get(STATES);
    }
  }

  /** A question as the encoder takes it. */
  @Override
  public TextIds tokenize(String question) {
    return texts().whole(question);
  }

  /** The states of a question, [width, n], for comparing them with a reference. */
  public float[] states(RgbImage image, String question) {
    var flag = new CancellationFlag();
    return states(model.encode(image, flag), tokenize(question).ids(), flag);
  }

  /**
   * Logits after each of some ids of an answer, for comparing them with a reference.
   *
   * @return a row of the vocabulary's size for each id
   */
  public float[][] logits(RgbImage image, String question, int[] ids) {
    return writer().logits(states(image, question), tokenize(question).ids().length, ids);
  }

  @Override
  public String family() {
    return model.architecture().name();
  }
}
