package dev.ocellus.eval;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.llama.LlamaModel;
import dev.ocellus.quantize.measure.ComparisonReport;
import dev.ocellus.quantize.measure.Divergence;
import dev.ocellus.quantize.measure.TextComparison;
import dev.ocellus.quantize.measure.WeightComparison;
import dev.ocellus.quantize.text.TextChunks;
import dev.ocellus.vlm.json.Conversations;
import dev.ocellus.vlm.options.LoadOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Compares a model with a reference, such as a quantized one with what it was made from: the
 * weights, and what both predict for a text, for answers about images, or for images alone.
 */
public final class ModelComparison {
  private final LoadOptions reference;
  private final LoadOptions other;
  private boolean weights = true;
  private @Nullable String text;
  private int chunkSize = 512;
  private int maxChunks = -1;
  private @Nullable Conversations conversations;
  private int maxTokens = 64;
  private List<NamedImage> images = List.of();

  /**
   * @param reference what is compared with; an mmproj file as the model compares image encoders
   */
  public ModelComparison(LoadOptions reference, LoadOptions other) {
    this.reference = reference;
    this.other = other;
  }

  /** Compares the weights, too; done if nothing is said. */
  public ModelComparison weights(boolean compared) {
    this.weights = compared;
    return this;
  }

  /**
   * Compares predictions of a text.
   *
   * @param chunkSize tokens that are predicted in one context
   * @param maxChunks how many are computed at most; -1 for all
   */
  public ModelComparison text(String text, int chunkSize, int maxChunks) {
    this.text = text;
    this.chunkSize = chunkSize;
    this.maxChunks = maxChunks;
    return this;
  }

  /**
   * Compares predictions of the reference's answers.
   *
   * @param maxTokens most tokens of an answer
   */
  public ModelComparison conversations(Conversations conversations, int maxTokens) {
    this.conversations = conversations;
    this.maxTokens = maxTokens;
    return this;
  }

  /** Compares what image encoders make of images. */
  public ModelComparison images(List<NamedImage> images) {
    this.images = List.copyOf(images);
    return this;
  }

  /**
   * Whether both are image encoders, and not text models.
   *
   * @throws IllegalArgumentException if they are of different kinds
   */
  public static boolean areEncoders(Path a, Path b) throws IOException {
    try (GgufFile fileA = GgufFile.open(a);
        GgufFile fileB = GgufFile.open(b)) {
      boolean encoders = isEncoder(fileA);
      if (encoders != isEncoder(fileB)) {
        throw new IllegalArgumentException(
            "%s and %s are a text model and an image encoder; only files of one kind can be compared"
                .formatted(a, b));
      }
      return encoders;
    }
  }

  private static boolean isEncoder(GgufFile file) {
    return file.metadata().string("general.architecture", "").equals("clip");
  }

  /**
   * Compares.
   *
   * @throws IllegalArgumentException if the two are of different kinds
   * @throws dev.ocellus.compute.ComputationCancelledException if the flag was set
   */
  public ComparisonReport run(EvalListener listener, CancellationFlag flag) throws IOException {
    Path a = reference.model();
    Path b = other.model();
    boolean encoders = areEncoders(a, b);
    long bytesA;
    long bytesB;
    List<WeightComparison.Line> lines = List.of();
    try (GgufFile fileA = GgufFile.open(a);
        GgufFile fileB = GgufFile.open(b)) {
      bytesA = fileA.byteSize();
      bytesB = fileB.byteSize();
      if (weights) {
        listener.report("comparing weights", -1);
        lines = WeightComparison.of(fileA, fileB, flag);
      }
    }
    var vision = new EncoderComparison.Result(List.of(), List.of());
    Divergence.Result ofText = null;
    ChatComparison.Result chats = null;
    if (encoders) {
      vision = compareEncoders(a, b, listener, flag);
    } else {
      ofText = text == null ? null : compareText(text, listener, flag);
      chats =
          conversations == null
              ? null
              : ChatComparison.compare(reference, other, conversations, maxTokens, listener, flag);
    }
    return new ComparisonReport(
        a.toString(),
        b.toString(),
        bytesA,
        bytesB,
        ofText,
        chats == null ? null : chats.divergence(),
        chats == null ? 0 : chats.sameAnswers(),
        chats == null ? 0 : chats.count(),
        vision.layers(),
        vision.images(),
        lines);
  }

  private EncoderComparison.Result compareEncoders(
      Path a, Path b, EvalListener listener, CancellationFlag flag) throws IOException {
    return images.isEmpty()
        ? new EncoderComparison.Result(List.of(), List.of())
        : EncoderComparison.compare(
            a,
            b,
            images,
            reference.contextOptions().nThreadsBatch(),
            reference.modelOptions().nGpuLayers() != 0,
            listener,
            flag);
  }

  private Divergence.Result compareText(String text, EvalListener listener, CancellationFlag flag)
      throws IOException {
    listener.report("loading", -1);
    try (LlamaModel first = LlamaModel.load(reference.model(), reference.modelOptions());
        LlamaModel second = LlamaModel.load(other.model(), other.modelOptions())) {
      TextChunks chunks = TextChunks.of(first.vocab(), text, chunkSize, 0, maxChunks, false);
      return TextComparison.compare(
          first,
          second,
          reference.contextOptions(),
          chunks,
          (done, count, soFar) ->
              listener.report(
                  String.format(
                      Locale.ROOT, "chunk %d of %d: KL %.6f", done, count, soFar.kl().value()),
                  (double) done / count),
          flag);
    }
  }
}
