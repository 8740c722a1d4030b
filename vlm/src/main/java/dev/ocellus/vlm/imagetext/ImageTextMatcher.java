package dev.ocellus.vlm.imagetext;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.vlm.fusion.MatchArchitecture;
import dev.ocellus.vlm.fusion.MatchHeads;
import dev.ocellus.vlm.fusion.TextIds;
import dev.ocellus.vlm.graph.Batches;
import dev.ocellus.vlm.graph.Floats;
import dev.ocellus.vlm.graph.GraphRun;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.model.ModelRegistry;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * A model that says whether an image and a text belong together, such as BLIP.
 *
 * <pre>{@code
 * try (ImageTextMatcher blip = ImageTextMatcher.open(Path.of("blip-itm.gguf"))) {
 *   RgbImage image = ImageDecoder.decode(Path.of("beach.jpg"));
 *   double probability = blip.match(image, "two dogs on a beach").probability();
 * }
 * }</pre>
 *
 * <p>A score does not depend on what is compared beside it. Thread-safe; one batch is computed at a
 * time.
 */
public final class ImageTextMatcher extends ImageTextModel {
  private static final String IDS = "ids";
  private static final String IMAGE = "image";
  private static final String SCORES = "scores";

  /** Rows of texts of a batch, which keep the kernels busy. */
  private static final int ROWS_AT_ONCE = 512;

  private final OpenedModel<MatchArchitecture> model;

  private ImageTextMatcher(OpenedModel<MatchArchitecture> model) {
    super(model, model.architecture().texts());
    this.model = model;
  }

  /**
   * Opens a GGUF file as {@link ImageTextOptions#defaults()} say.
   *
   * @see #open(Path, ImageTextOptions)
   */
  public static ImageTextMatcher open(Path path) throws IOException {
    return open(path, ImageTextOptions.defaults());
  }

  /**
   * Opens a GGUF file that {@code dev.ocellus.convert} makes of a HuggingFace checkpoint.
   *
   * @throws IOException if the file cannot be read
   * @throws dev.ocellus.vlm.model.WrongModelKindException if it is another kind of model
   * @throws dev.ocellus.OcellusException if it is damaged or of an unknown family
   */
  public static ImageTextMatcher open(Path path, ImageTextOptions options) throws IOException {
    return new ImageTextMatcher(
        OpenedModel.open(path, options, ModelRegistry::matcher, MatchArchitecture::images));
  }

  /** How well an image and a text fit. */
  public ImageTextMatch match(RgbImage image, String text) {
    return match(image, List.of(text)).getFirst();
  }

  /**
   * How well each of several texts fits an image, which is encoded once.
   *
   * @param texts whose ends are left out where they are longer than {@link #contextLength()}
   *     ({@link #tokenize})
   * @return in the order of the texts
   * @throws dev.ocellus.vlm.image.ImageFormatException if the image is too thin to be resized
   */
  public List<ImageTextMatch> match(RgbImage image, List<String> texts) {
    return match(image, texts, new CancellationFlag());
  }

  /**
   * The same, which a flag can stop.
   *
   * @throws dev.ocellus.compute.ComputationCancelledException if it was set
   */
  public List<ImageTextMatch> match(RgbImage image, List<String> texts, CancellationFlag flag) {
    OpenedModel.Encoded states = model.encode(image, flag);
    float[] vector = imageVector(states);
    List<float[]> logits = mapped(texts, texts()::whole, batch -> logits(states, batch, flag));
    List<float[]> vectors = mapped(texts, texts()::alone, batch -> textVectors(batch, flag));
    List<ImageTextMatch> out = new ArrayList<>();
    for (int i = 0; i < texts.size(); i++) {
      out.add(ImageTextMatch.of(logits.get(i), cosine(vector, vectors.get(i))));
    }
    return out;
  }

  /** Computes something of each text, in batches of one length. */
  private static List<float[]> mapped(
      List<String> texts,
      Function<String, TextIds> tokenizer,
      Function<List<int[]>, List<float[]>> compute) {
    List<int[]> ids = texts.stream().map(text -> tokenizer.apply(text).ids()).toList();
    return Batches.mapped(
        ids, text -> text.length, text -> Math.max(1, ROWS_AT_ONCE / text.length), compute);
  }

  private MatchHeads heads() {
    return model.architecture().heads();
  }

  private static int[] joined(List<int[]> texts) {
    return texts.stream().flatMapToInt(IntStream::of).toArray();
  }

  private List<float[]> logits(
      OpenedModel.Encoded image, List<int[]> texts, CancellationFlag flag) {
    int n = texts.getFirst().length;
    int count = texts.size();
    try (GraphRun run =
        model
            .runner()
            .start(
                List.of("match", n, count, image.n()),
                graph -> {
                  Tensor input = graph.indices(IDS, (long) n * count, heads().nTokens());
                  Tensor seen = model.statesInput(graph, IMAGE, image);
                  graph.output(SCORES, heads().match(graph, input, n, seen));
                })) {
      run.set(IDS, joined(texts)).set(IMAGE, image.values());
      return Floats.split(run.compute(flag).get(SCORES), 2);
    }
  }

  private List<float[]> textVectors(List<int[]> texts, CancellationFlag flag) {
    int n = texts.getFirst().length;
    int count = texts.size();
    try (GraphRun run =
        model
            .runner()
            .start(
                List.of("texts", n, count),
                graph -> {
                  Tensor input = graph.indices(IDS, (long) n * count, heads().nTokens());
                  graph.output(SCORES, heads().textVectors(graph, input, n));
                })) {
      float[] found = run.set(IDS, joined(texts)).compute(flag).get(SCORES);
      return Floats.split(found, found.length / count);
    }
  }

  private float[] imageVector(OpenedModel.Encoded image) {
    try (GraphRun run =
        model
            .runner()
            .start(
                List.of("image vector", image.n()),
                graph -> {
                  Tensor seen = model.statesInput(graph, IMAGE, image);
                  graph.output(SCORES, heads().imageVector(graph, seen));
                })) {
      return run.set(IMAGE, image.values()).compute().get(SCORES);
    }
  }

  private static double cosine(float[] a, float[] b) {
    double dot = 0;
    double lengthA = 0;
    double lengthB = 0;
    for (int i = 0; i < a.length; i++) {
      dot += (double) a[i] * b[i];
      lengthA += (double) a[i] * a[i];
      lengthB += (double) b[i] * b[i];
    }
    return dot / Math.max(Math.sqrt(lengthA) * Math.sqrt(lengthB), Double.MIN_NORMAL);
  }

  /** A text as the text encoder takes it. */
  @Override
  public TextIds tokenize(String text) {
    return texts().whole(text);
  }

  @Override
  public String family() {
    return model.architecture().name();
  }
}
