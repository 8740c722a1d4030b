package dev.ocellus.vlm.embedding;

import dev.ocellus.InvalidSettingException;
import dev.ocellus.Setting;
import dev.ocellus.UnsupportedArchitectureException;
import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.generate.Pipeline;
import dev.ocellus.vlm.generate.PromptState;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.model.ModelKind;
import dev.ocellus.vlm.model.ModelRegistry;
import dev.ocellus.vlm.options.LoadOptions;
import dev.ocellus.vlm.vision.ImageOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A vision-language model that gives vectors of texts, of images and of both together, all in one
 * space: Qwen3-VL-Embedding. The state of the last token speaks for an input.
 *
 * <pre>{@code
 * try (var qwen = VisionLanguageEmbedder.open(LoadOptions.of(text, mmproj))) {
 *   float[] image = qwen.embed(EmbeddingInput.of(ImageDecoder.decode(Path.of("beach.jpg"))));
 *   float[] query =
 *       qwen.embed(
 *           EmbeddingInput.of("two dogs on a beach")
 *               .withInstruction("Retrieve images that match the text."));
 *   double cosine = Vectors.dot(image, query);
 * }
 * }</pre>
 *
 * <p>Its checkpoints are those of Qwen3-VL, in whose files nothing tells that they were trained for
 * this. Thread-safe; one input is computed at a time, and its vector depends on it alone.
 */
public final class VisionLanguageEmbedder implements Embedder {
  /** The text models of Qwen3-VL, as files name them. */
  private static final Set<String> ARCHITECTURES = Set.of("qwen3vl", "qwen3vlmoe");

  // limits of the published usage code, in tokens of an image and of a text
  private static final int MIN_IMAGE_TOKENS = 4;
  private static final int MAX_IMAGE_TOKENS = 1800;
  private static final int MAX_TOKENS = 8192;

  private final Pipeline pipeline;
  private final PromptState states;
  private final int dimension;

  private VisionLanguageEmbedder(LoadOptions options, int dimension) throws IOException {
    requireKnown(options.model());
    pipeline = Pipeline.open(withImageLimits(options));
    try {
      states = new PromptState(pipeline);
    } catch (Throwable e) {
      pipeline.close();
      throw e;
    }
    try {
      this.dimension = requireDimension(dimension, states.width());
    } catch (Throwable e) {
      close();
      throw e;
    }
  }

  /**
   * Opens a text model and its image encoder, for vectors as long as the model's states.
   *
   * @see #open(LoadOptions, int)
   */
  public static VisionLanguageEmbedder open(LoadOptions options) throws IOException {
    return open(options, 0);
  }

  /**
   * Opens a text model and its image encoder. Without limits for the tokens of an image they are 4
   * and 1800, as the published usage code has them, or the file's, where that allows fewer.
   *
   * @param options files, context and threads; without an image encoder only texts are taken
   * @param dimension numbers of a vector: the first ones of the model's, which was trained so that
   *     they do alone (Matryoshka representation learning, arXiv:2205.13147); 0 for all
   * @throws IOException if a file cannot be read
   * @throws UnsupportedArchitectureException if it is another kind of model
   * @throws dev.ocellus.OcellusException if a file is damaged, or they do not belong together
   */
  public static VisionLanguageEmbedder open(LoadOptions options, int dimension) throws IOException {
    return new VisionLanguageEmbedder(options, dimension);
  }

  /** Whether a file is a text model whose states are vectors, if it was trained for that. */
  public static boolean isOne(Path model) throws IOException {
    try (GgufFile file = GgufFile.open(model)) {
      return ARCHITECTURES.contains(architecture(file));
    }
  }

  private static String architecture(GgufFile file) {
    return file.metadata().string("general.architecture", "");
  }

  private static void requireKnown(Path model) throws IOException {
    try (GgufFile file = GgufFile.open(model)) {
      ModelRegistry.require(file, ModelKind.TEXT);
      if (!ARCHITECTURES.contains(architecture(file))) {
        throw new UnsupportedArchitectureException(
            "%s is a text model of architecture '%s', whose states are no vectors of texts and images; expected Qwen3-VL-Embedding (qwen3vl, qwen3vlmoe), or a dual encoder such as CLIP."
                .formatted(model, architecture(file)));
      }
    }
  }

  private static LoadOptions withImageLimits(LoadOptions options) throws IOException {
    ImageOptions asked = options.vision().images();
    Path mmproj = options.mmproj();
    if (mmproj == null || asked.minTokens() > 0 || asked.maxTokens() > 0) {
      return options;
    }
    long fileMax = fileMax(mmproj);
    boolean fewer = fileMax > 0 && fileMax < MAX_IMAGE_TOKENS;
    return options.withImageOptions(
        new ImageOptions(MIN_IMAGE_TOKENS, fewer ? 0 : MAX_IMAGE_TOKENS, asked.panAndScan()));
  }

  /** Most tokens of an image that the file allows; 0 where it does not say. */
  private static long fileMax(Path mmproj) throws IOException {
    try (GgufFile file = GgufFile.open(mmproj)) {
      long pixels = file.metadata().int32("clip.vision.image_max_pixels", 0);
      long side =
          (long) file.metadata().int32("clip.vision.patch_size", 1)
              * file.metadata().int32("clip.vision.spatial_merge_size", 2);
      return pixels / (side * side);
    }
  }

  private static int requireDimension(int wanted, int width) {
    if (wanted < 0 || wanted > width) {
      throw new InvalidSettingException(
          "dimension: expected 1 to %d, the width of the model, or 0 for all of it, found %d"
              .formatted(width, wanted),
          Setting.DIMENSION);
    }
    return wanted == 0 ? width : wanted;
  }

  @Override
  public Path path() {
    return pipeline.options().model();
  }

  @Override
  public int dimension() {
    return dimension;
  }

  @Override
  public String identity() throws IOException {
    return identity(pipeline.options());
  }

  /**
   * The {@linkplain #identity() identity} of the model that {@link #open} would open.
   *
   * @throws IOException if a file cannot be read
   */
  public static String identity(LoadOptions options) throws IOException {
    String text = fileIdentity(options.model());
    Path mmproj = options.mmproj();
    return mmproj == null ? text : text + "+" + fileIdentity(mmproj);
  }

  private static String fileIdentity(Path path) throws IOException {
    try (GgufFile file = GgufFile.open(path)) {
      return file.identity();
    }
  }

  /** The vector of an input, of length 1. */
  public float[] embed(EmbeddingInput input) {
    return embed(input, new CancellationFlag());
  }

  /**
   * The vector of an input, of length 1.
   *
   * @throws dev.ocellus.compute.ComputationCancelledException if the flag was set
   */
  public float[] embed(EmbeddingInput input, CancellationFlag flag) {
    return Vectors.normalized(features(input, flag));
  }

  /**
   * {@inheritDoc}
   *
   * @throws dev.ocellus.llama.ContextOverflowException if the image does not fit the context
   * @throws dev.ocellus.vlm.prompt.PromptException without an image encoder
   */
  @Override
  public float[] embedImage(RgbImage image) {
    return embed(EmbeddingInput.of(image));
  }

  @Override
  public float[] embedText(String text) {
    return embed(EmbeddingInput.of(text));
  }

  /**
   * {@inheritDoc}
   *
   * <p>At most four are read ahead, as they wait in full size.
   */
  @Override
  public <T> EmbeddingStream<T> embedImages(
      Iterator<? extends T> images, ImageReader<? super T> reader, StreamOptions options) {
    return new EmbeddingStream<>(
        new ReadAhead<>(new SingleImageStage(this), images, reader, options));
  }

  /**
   * The first numbers of the state of an input's last token, as the last norm gives it.
   *
   * @throws dev.ocellus.llama.ContextOverflowException if an image does not fit the context
   * @throws dev.ocellus.vlm.prompt.PromptException for an image without an image encoder
   * @throws dev.ocellus.vlm.image.ImageFormatException if the model takes no image of its size
   */
  public synchronized float[] features(EmbeddingInput input, CancellationFlag flag) {
    List<Message> messages = EmbeddingPrompt.of(input);
    float[] state = states.of(messages, prompt(messages), flag);
    return Arrays.copyOf(state, dimension);
  }

  private PromptState.Cut prompt(List<Message> messages) {
    return states.prompt(messages, Math.min(MAX_TOKENS, states.contextLength() - 1));
  }

  /**
   * How many tokens are left out at the end of an input, which is too long for the model or its
   * context; usually 0.
   */
  public synchronized int nDropped(EmbeddingInput input) {
    return prompt(EmbeddingPrompt.of(input)).nDropped();
  }

  @Override
  public int nDropped(String text) {
    return nDropped(EmbeddingInput.of(text));
  }

  /** The image encoder's file; null without one. */
  public @Nullable Path mmproj() {
    return pipeline.options().mmproj();
  }

  @Override
  public synchronized void close() {
    states.close();
    pipeline.close();
  }
}
