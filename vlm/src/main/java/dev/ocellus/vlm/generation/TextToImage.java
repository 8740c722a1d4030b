package dev.ocellus.vlm.generation;

import dev.ocellus.OcellusException;
import dev.ocellus.Setting;
import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.llama.ContextOverflowException;
import dev.ocellus.llama.LlamaModel;
import dev.ocellus.llama.ModelOptions;
import dev.ocellus.vlm.codes.CodeHead;
import dev.ocellus.vlm.graph.GraphRun;
import dev.ocellus.vlm.model.ModelKind;
import dev.ocellus.vlm.model.ModelRegistry;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A text model that writes the codes of images, such as Janus and Janus-Pro, and the VQ model that
 * decodes them.
 *
 * <pre>{@code
 * try (TextToImage janus = TextToImage.open(Path.of("janus.gguf"), Path.of("gen-janus.gguf"),
 *     ComputeOptions.defaults())) {
 *   List<ImageCodes> codes = janus.draw("a red bicycle", DrawOptions.seeded(7).withCount(4),
 *       DrawOptions.Listener.NONE, new CancellationFlag());
 *   RgbImage image = janus.vq().decode(codes.get(0)).image();
 * }
 * }</pre>
 *
 * <p>The images of a call are drawn in one batch, each beside its twin that does not see the text,
 * if there is guidance. Thread-safe; one call is computed at a time.
 */
public final class TextToImage implements AutoCloseable {
  private final LlamaModel text;
  private final VqModel vq;
  private final CodeHead head;
  private final TextPrompt prompt;
  private final int nThreads;

  private TextToImage(LlamaModel text, VqModel vq, CodeHead head, TextPrompt prompt, int nThreads) {
    this.text = text;
    this.vq = vq;
    this.head = head;
    this.prompt = prompt;
    this.nThreads = nThreads;
  }

  /**
   * Opens the two GGUF files that {@code dev.ocellus.convert} makes of a checkpoint.
   *
   * @param text the text model
   * @param generator the VQ model with the head of the text model
   * @throws IOException if a file cannot be read
   * @throws dev.ocellus.vlm.model.WrongModelKindException if one is another kind of model
   * @throws OcellusException if one is damaged, or they do not belong together
   */
  public static TextToImage open(Path text, Path generator, ComputeOptions options)
      throws IOException {
    VqModel vq = VqModel.open(generator, options, true);
    try {
      CodeHead head =
          vq.head()
              .orElseThrow(() ->
                  new OcellusException(
                          "%s has no head for a text model: it makes codes of images and back, and draws nothing from text."
                              .formatted(generator))
                      .about(Setting.MODEL));
      LlamaModel model = load(text, options);
      try {
        return new TextToImage(
            model, vq, head, prompt(text, model, head, generator), options.nThreads());
      } catch (Throwable e) {
        model.close();
        throw e;
      }
    } catch (Throwable e) {
      vq.close();
      throw e;
    }
  }

  private static LlamaModel load(Path text, ComputeOptions options) throws IOException {
    try (GgufFile file = GgufFile.open(text)) {
      ModelRegistry.require(file, ModelKind.TEXT);
    }
    ModelOptions defaults = ModelOptions.defaults().withAccelerator(options.accelerator());
    return LlamaModel.load(text, options.useGpu() ? defaults : defaults.withGpuLayers(0));
  }

  private static TextPrompt prompt(Path text, LlamaModel model, CodeHead head, Path generator)
      throws IOException {
    if (model.nEmbdInput() != head.width()) {
      throw new OcellusException(
              "%s is made for a text model of width %d, and %s has %d. The two files are of different models."
                  .formatted(generator, head.width(), text, model.nEmbdInput()))
          .about(Setting.MODEL);
    }
    try (GgufFile file = GgufFile.open(text)) {
      return TextPrompt.of(file.metadata(), model.vocab(), text);
    }
  }

  /** The VQ model, which decodes what is drawn; closed with this. */
  public VqModel vq() {
    return vq;
  }

  /** The tokens that stand before the image. */
  public int[] tokenize(String description) {
    return prompt.tokens(description);
  }

  /**
   * Told of the logits of every step, for comparing them with a reference.
   *
   * @see #drawObserved
   */
  @FunctionalInterface
  public interface LogitsListener {
    /**
     * @param place which code comes next, from 0
     * @param logits a row for each sequence: those that see the text first, then their twins
     */
    void computed(int place, float[] logits);
  }

  /**
   * Draws images of a description.
   *
   * @throws dev.ocellus.llama.ContextOverflowException if the description is longer than the model
   *     takes
   * @throws dev.ocellus.compute.ComputationCancelledException if {@code flag} was set
   */
  public List<ImageCodes> draw(
      String description,
      DrawOptions options,
      DrawOptions.Listener listener,
      CancellationFlag flag) {
    return draw(description, options, (place, logits) -> {}, listener, flag);
  }

  /** The same for a listener of logits. */
  public List<ImageCodes> drawObserved(
      String description, DrawOptions options, LogitsListener listener, CancellationFlag flag) {
    return draw(description, options, listener, DrawOptions.Listener.NONE, flag);
  }

  private List<ImageCodes> draw(
      String description,
      DrawOptions options,
      LogitsListener observer,
      DrawOptions.Listener listener,
      CancellationFlag flag) {
    int[] tokens = prompt.tokens(description);
    requireContext(tokens.length);
    boolean guided = options.guidance() != 1;
    int images = options.count();
    int sequences = guided ? 2 * images : images;
    int[][] prompts = new int[sequences][];
    for (int s = 0; s < sequences; s++) {
      prompts[s] = s < images ? tokens : prompt.hidden(tokens);
    }
    int[][] codes = new int[images][head.nPlaces()];
    CodeSampler[] samplers = new CodeSampler[images];
    for (int i = 0; i < images; i++) {
      samplers[i] = new CodeSampler(options, i);
    }
    try (GuidedDecoder decoder =
        new GuidedDecoder(text, sequences, tokens.length + head.nPlaces(), nThreads)) {
      float[] hidden = decoder.prompts(prompts, flag);
      for (int place = 0; place < head.nPlaces(); place++) {
        float[] logits = logits(hidden, sequences, flag);
        observer.computed(place, logits);
        choose(codes, place, logits, samplers, guided ? options.guidance() : 1);
        listener.drawn(place + 1, head.nPlaces(), () -> PriorRunner.copies(codes));
        if (place + 1 < head.nPlaces()) {
          hidden = decoder.step(rows(codes, place, sequences, flag), flag);
        }
      }
    }
    return images(codes);
  }

  private void requireContext(int nTokens) {
    long needed = (long) nTokens + head.nPlaces();
    if (needed > text.nCtxTrain()) {
      throw new ContextOverflowException(
          ContextOverflowException.Kind.CONTEXT,
          needed,
          text.nCtxTrain(),
          "the description has %d tokens, and the codes of an image are %d; the model takes %d in all. Make the description shorter."
              .formatted(nTokens, head.nPlaces(), text.nCtxTrain()));
    }
  }

  private float[] logits(float[] hidden, int n, CancellationFlag flag) {
    try (GraphRun run =
        vq.graphs()
            .runner()
            .start(
                List.of("head", n),
                g -> g.output("logits", head.logits(g.input("hidden", head.width(), n))))) {
      float[] logits = run.set("hidden", hidden).compute(flag).get("logits");
      vq.graphs().requireFinite(logits, "a logit");
      return logits;
    }
  }

  /** The next code of each image; sequences behind the images are the twins. */
  private void choose(
      int[][] codes, int place, float[] logits, CodeSampler[] samplers, double guidance) {
    int n = vq.nCodes();
    int images = codes.length;
    for (int i = 0; i < images; i++) {
      if (guidance == 1) {
        codes[i][place] = samplers[i].next(logits, i * n, n);
      } else {
        float[] guided = Guidance.of(logits, i * n, (images + i) * n, n, guidance);
        codes[i][place] = samplers[i].next(guided, 0, n);
      }
    }
  }

  /** What each sequence reads next: a twin what its image does. */
  private float[] rows(int[][] codes, int place, int sequences, CancellationFlag flag) {
    int images = codes.length;
    int[] last = new int[sequences];
    for (int s = 0; s < sequences; s++) {
      last[s] = codes[s % images][place];
    }
    try (GraphRun run =
        vq.graphs()
            .runner()
            .start(
                List.of("embed", sequences),
                g -> g.output("rows", head.embed(g.indices("codes", sequences, vq.nCodes()))))) {
      return run.set("codes", last).compute(flag).get("rows");
    }
  }

  private List<ImageCodes> images(int[][] codes) {
    int side = (int) Math.round(Math.sqrt(head.nPlaces()));
    if (side * side != head.nPlaces()) {
      throw new ImageSizeException(
          "%s: expected a square number of codes for an image, found %d"
              .formatted(vq.path(), head.nPlaces()));
    }
    List<ImageCodes> out = new ArrayList<>();
    for (int[] image : codes) {
      out.add(new ImageCodes(side, side, image));
    }
    return out;
  }

  /** Frees everything; waits for what is being computed. */
  @Override
  public void close() {
    text.close();
    vq.close();
  }
}
