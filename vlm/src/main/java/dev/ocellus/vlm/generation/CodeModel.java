package dev.ocellus.vlm.generation;

import dev.ocellus.OcellusException;
import dev.ocellus.Setting;
import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.vlm.codes.CodePrior;
import dev.ocellus.vlm.image.RgbImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;

/**
 * A VQ model with a prior over its codes, which is told the class of the image: it draws images of
 * a class, and says how likely the codes of an image are.
 *
 * <p>Thread-safe; one call is computed at a time.
 */
public final class CodeModel implements AutoCloseable {
  private static final int MAX_LISTED = 50;

  private final VqModel vq;
  private final CodePrior prior;
  private final PriorRunner runner;

  private CodeModel(VqModel vq, CodePrior prior) {
    this.vq = vq;
    this.prior = prior;
    runner = new PriorRunner(vq.graphs(), prior.graph());
  }

  /**
   * Opens a GGUF file.
   *
   * @throws IOException if the file cannot be read
   * @throws dev.ocellus.vlm.model.WrongModelKindException if it is another kind of model
   * @throws OcellusException if it is damaged, of an unknown family, or has no prior
   */
  public static CodeModel open(Path path, ComputeOptions options) throws IOException {
    VqModel vq = VqModel.open(path, options, true);
    try {
      CodePrior prior =
          vq.prior()
              .orElseThrow(() ->
                  new OcellusException(
                          "%s has no prior over its codes: it makes codes of images and back, and draws nothing by itself."
                              .formatted(path))
                      .about(Setting.MODEL));
      return new CodeModel(vq, prior);
    } catch (Throwable e) {
      vq.close();
      throw e;
    }
  }

  /** The VQ model, which decodes what is drawn; closed with this. */
  public VqModel vq() {
    return vq;
  }

  /** Names of the classes. */
  public List<String> classes() {
    return prior.classes();
  }

  /**
   * The number of a class: the one of this name, or that is in a text such as {@code a red circle};
   * or a number from 0 on.
   *
   * @throws OcellusException if there is none
   */
  public int classOf(String text) {
    String words = text.toLowerCase(Locale.ROOT).replaceAll("[^\\p{L}\\p{N}]+", " ").strip();
    if (words.matches("\\d{1,9}") && Integer.parseInt(words) < prior.classes().size()) {
      return Integer.parseInt(words);
    }
    String wanted = " " + words + " ";
    for (int i = 0; i < prior.classes().size(); i++) {
      if (wanted.contains(" " + prior.classes().get(i).toLowerCase(Locale.ROOT) + " ")) {
        return i;
      }
    }
    throw new OcellusException(
        "%s: no class is named in '%s'; known are %s".formatted(vq.path(), text, listed()));
  }

  private String listed() {
    List<String> all = prior.classes();
    return all.size() <= MAX_LISTED
        ? String.join(", ", all)
        : "%s and so on, %d in all"
            .formatted(String.join(", ", all.subList(0, MAX_LISTED)), all.size());
  }

  /** Whether guidance tells drawing with the class from drawing without it. */
  public boolean isGuided() {
    return prior.graph().startOfNoClass().isPresent();
  }

  /**
   * Draws images; with guidance, where the model has a start for no class ({@link #isGuided}).
   *
   * @param classes a class for each image
   */
  public List<ImageCodes> draw(
      int[] classes, DrawOptions options, DrawOptions.Listener listener, CancellationFlag flag) {
    for (int c : classes) {
      requireClass(c);
    }
    int side = side();
    List<ImageCodes> out = new ArrayList<>();
    for (int[] codes : runner.draw(classes, new int[0], options, listener, flag)) {
      out.add(new ImageCodes(side, side, codes));
    }
    return out;
  }

  private int side() {
    int n = prior.graph().nPositions();
    int side = (int) Math.round(Math.sqrt(n));
    if (side * side != n) {
      throw new ImageSizeException(
          "%s: expected a square number of codes for an image, found %d".formatted(vq.path(), n));
    }
    return side;
  }

  private void requireClass(int number) {
    if (number < 0 || number >= prior.classes().size()) {
      throw new IllegalArgumentException(
          "class: expected 0 to %d, found %d".formatted(prior.classes().size() - 1, number));
    }
  }

  /** The likelihood of the codes of an image, which is brought to the model's size. */
  public ImageScore score(RgbImage image, int number, CancellationFlag flag) {
    return score(vq.encode(vq.fit(image, vq.imageSize()), flag), number, flag);
  }

  /**
   * The likelihood of codes, given the class.
   *
   * @throws ImageSizeException if there are not as many as the prior predicts
   */
  public ImageScore score(ImageCodes codes, int number, CancellationFlag flag) {
    requireClass(number);
    return scored(codes, number, flag);
  }

  private ImageScore scored(ImageCodes codes, int start, CancellationFlag flag) {
    int[] all = codes.codes();
    if (all.length != prior.graph().nPositions()) {
      throw new ImageSizeException(
          "%s: expected %d codes, found %d"
              .formatted(vq.path(), prior.graph().nPositions(), all.length));
    }
    if (Arrays.stream(all).anyMatch(code -> code < 0 || code >= vq.nCodes())) {
      throw new IllegalArgumentException(
          "codes: expected numbers from 0 to %d".formatted(vq.nCodes() - 1));
    }
    return runner.score(start, all, flag);
  }

  /**
   * The likelihood of codes where nobody tells the class. A model that has learned to draw without
   * one says it itself; for others all classes are as likely, and each term is given the codes
   * before it, and what they say about the class.
   */
  public ImageScore score(ImageCodes codes, CancellationFlag flag) {
    OptionalInt noClass = prior.graph().startOfNoClass();
    return noClass.isPresent() ? scored(codes, noClass.getAsInt(), flag) : overClasses(codes, flag);
  }

  private ImageScore overClasses(ImageCodes codes, CancellationFlag flag) {
    int k = prior.classes().size();
    int n = codes.codes().length;
    double[][] sums = new double[k][n + 1];
    for (int c = 0; c < k; c++) {
      double[] terms = score(codes, c, flag).perPosition();
      for (int i = 0; i < n; i++) {
        sums[c][i + 1] = sums[c][i] + terms[i];
      }
    }
    double[] joint = new double[n + 1];
    for (int i = 0; i <= n; i++) {
      int at = i;
      joint[i] = LogSoftmax.logSum(Arrays.stream(sums).mapToDouble(s -> s[at]).toArray());
    }
    double[] terms = new double[n];
    for (int i = 0; i < n; i++) {
      terms[i] = joint[i + 1] - joint[i];
    }
    return ImageScore.of(terms);
  }

  @Override
  public void close() {
    vq.close();
  }
}
