package dev.ocellus.eval;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.compute.ComputationCancelledException;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.StopReason;
import dev.ocellus.vlm.embedding.DualEncoder;
import dev.ocellus.vlm.embedding.EmbeddingOptions;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.imagetext.ImageTextMatcher;
import dev.ocellus.vlm.imagetext.ImageTextModel;
import dev.ocellus.vlm.imagetext.ImageTextOptions;
import dev.ocellus.vlm.imagetext.ImageTextWriter;
import dev.ocellus.vlm.model.ModelKind;
import dev.ocellus.vlm.vision.Tiles;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/**
 * A model whose encoders of images and texts lie in one file, as what measures and compares models
 * sees it: a dual encoder, or one whose texts attend to images.
 */
public abstract sealed class OneFileModel implements AutoCloseable {
  private static final Set<ModelKind> KINDS =
      EnumSet.of(
          ModelKind.DUAL_ENCODER,
          ModelKind.CAPTIONER,
          ModelKind.QUESTION_ANSWERER,
          ModelKind.MATCHER);

  /** As long as any context: what is measured is the longest text. */
  private static final String LONG_TEXT = "a photo of two dogs on a beach ".repeat(200);

  private OneFileModel() {}

  /**
   * Something to measure.
   *
   * @param tokens that are computed: patches of an image, tokens of a text
   */
  public record Test(String name, int tokens, Measurement.Work work) {}

  /** Whether a file is such a model. */
  public static boolean isOne(Path file) throws IOException {
    try (GgufFile gguf = GgufFile.open(file)) {
      return KINDS.contains(ModelKind.of(gguf.metadata()));
    }
  }

  /**
   * Opens a file that {@link #isOne}.
   *
   * @throws dev.ocellus.OcellusException if it is damaged or of another kind
   */
  public static OneFileModel open(Path file, ImageTextOptions options) throws IOException {
    ModelKind kind;
    try (GgufFile gguf = GgufFile.open(file)) {
      kind = ModelKind.of(gguf.metadata());
    }
    return switch (kind) {
      case CAPTIONER, QUESTION_ANSWERER -> new Fusion(ImageTextWriter.open(file, options));
      case MATCHER -> new Fusion(ImageTextMatcher.open(file, options));
      default -> new Dual(DualEncoder.open(file, embedding(options)));
    };
  }

  private static EmbeddingOptions embedding(ImageTextOptions o) {
    return new EmbeddingOptions(o.nThreads(), o.useGpu(), o.precision(), o.accelerator());
  }

  /** An image as the image encoder takes it. */
  abstract Tiles prepare(RgbImage image);

  /** What of an image comes out, and the named stages on the way. */
  abstract Map<String, float[]> stages(RgbImage image);

  /**
   * What to measure, an image's preprocessing first.
   *
   * @param nGenerate tokens to write, for models that do
   * @param flags gives a flag for each test, which stops it
   */
  final List<Test> tests(RgbImage image, int nGenerate, Supplier<CancellationFlag> flags) {
    Tiles tiles = prepare(image);
    int nPatches = tiles.gridX() * tiles.gridY() * tiles.n();
    List<Test> tests = new ArrayList<>();
    tests.add(new Test("image preprocess", nPatches, () -> prepare(image)));
    addTests(tests, image, nPatches, nGenerate, flags.get());
    return tests;
  }

  abstract void addTests(
      List<Test> tests, RgbImage image, int nPatches, int nGenerate, CancellationFlag flag);

  @Override
  public abstract void close();

  /** Other pixels each time: the states of the last image are kept. */
  private static final class Fresh {
    private final RgbImage image;
    private int number;

    Fresh(RgbImage image) {
      this.image = image;
    }

    RgbImage next() {
      byte[] rgb = image.toByteArray();
      rgb[0] = (byte) ++number;
      return RgbImage.of(image.width(), image.height(), rgb);
    }
  }

  private static final class Dual extends OneFileModel {
    private final DualEncoder model;

    Dual(DualEncoder model) {
      this.model = model;
    }

    @Override
    Tiles prepare(RgbImage image) {
      return model.prepare(image);
    }

    @Override
    Map<String, float[]> stages(RgbImage image) {
      return model.stages(image, List.of());
    }

    @Override
    void addTests(
        List<Test> tests, RgbImage image, int nPatches, int nGenerate, CancellationFlag flag) {
      tests.add(new Test("image encode", nPatches, () -> model.embedImage(image)));
      int n = model.tokenize(LONG_TEXT).length();
      tests.add(new Test("text encode", n, () -> model.embedText(LONG_TEXT)));
    }

    @Override
    public void close() {
      model.close();
    }
  }

  private static final class Fusion extends OneFileModel {
    private final ImageTextModel model;

    Fusion(ImageTextModel model) {
      this.model = model;
    }

    @Override
    Tiles prepare(RgbImage image) {
      return model.prepare(image);
    }

    @Override
    Map<String, float[]> stages(RgbImage image) {
      return model.stages(image, List.of());
    }

    @Override
    void addTests(
        List<Test> tests, RgbImage image, int nPatches, int nGenerate, CancellationFlag flag) {
      var fresh = new Fresh(image);
      switch (model) {
        case ImageTextMatcher matcher -> {
          tests.add(
              new Test("image encode", nPatches, () -> matcher.match(fresh.next(), List.of())));
          int n = matcher.tokenize(LONG_TEXT).ids().length;
          tests.add(new Test("match", n, () -> matcher.match(image, LONG_TEXT)));
        }
        case ImageTextWriter writer -> {
          tests.add(new Test("image encode", nPatches, () -> write(writer, fresh.next(), 0, flag)));
          int n = Math.min(nGenerate, writer.contextLength() - 1);
          if (n > 0) {
            tests.add(new Test("tg" + n, n, () -> write(writer, image, n, flag)));
          }
        }
      }
    }

    /** Of an answerer the question is read, too: there is no answer without one. */
    private static void write(
        ImageTextWriter writer, RgbImage image, int n, CancellationFlag flag) {
      GenerationOptions options = ImageTextWriter.defaults().withMaxTokens(n).withIgnoreEos(true);
      Answer answer = writer.write(image, "", options, AnswerListener.NONE, flag);
      if (answer.stopReason() == StopReason.CANCELLED) {
        throw new ComputationCancelledException("Writing was cancelled");
      }
    }

    @Override
    public void close() {
      model.close();
    }
  }
}
