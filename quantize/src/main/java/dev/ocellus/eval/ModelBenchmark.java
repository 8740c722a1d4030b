package dev.ocellus.eval;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.llama.LlamaModel;
import dev.ocellus.vlm.decode.TextDecoder;
import dev.ocellus.vlm.encoder.VisionEncoder;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.vision.ImageInput;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/** Speed of a model, measured as llama-bench does. */
public final class ModelBenchmark {
  private final int repetitions;
  private final EvalListener listener;
  private final Supplier<CancellationFlag> flags;

  /**
   * @param repetitions runs of each test, after one to warm up
   * @param flags gives a flag for each test, which stops it
   */
  public ModelBenchmark(int repetitions, EvalListener listener, Supplier<CancellationFlag> flags) {
    this.repetitions = repetitions;
    this.listener = listener;
    this.flags = flags;
  }

  /**
   * Measures a text model.
   *
   * @param nPrompt tokens of a prompt in an empty context ({@code pp}); 0 for no such test
   * @param nGenerate tokens generated one by one, without sampling ({@code tg}); 0 for no such test
   * @throws dev.ocellus.compute.ComputationCancelledException if a flag was set
   */
  public List<Measurement> textModel(
      LlamaModel model, ContextOptions context, int nPrompt, int nGenerate) throws IOException {
    List<Measurement> results = new ArrayList<>();
    if (nPrompt > 0) {
      listener.report("measuring the prompt", -1);
      try (var work = new LlamaBenchWorkload(model, context, nPrompt, flags.get())) {
        results.add(
            Measurement.of("pp" + nPrompt, nPrompt, repetitions, work::prompt, work::prompt));
      }
    }
    if (nGenerate > 0) {
      listener.report("measuring generation", -1);
      try (var work = new LlamaBenchWorkload(model, context, nGenerate, flags.get())) {
        results.add(
            Measurement.of("tg" + nGenerate, nGenerate, repetitions, work::one, work::generate));
      }
    }
    return results;
  }

  /**
   * Measures a text model that libllama does not compute, with the same tests, whose names tell how
   * many tokens fit.
   *
   * @throws dev.ocellus.compute.ComputationCancelledException if a flag was set
   */
  public List<Measurement> textModel(
      TextDecoder model, ContextOptions context, int nPrompt, int nGenerate) throws IOException {
    List<Measurement> results = new ArrayList<>();
    if (nPrompt > 0) {
      listener.report("measuring the prompt", -1);
      try (var work = new DecoderWorkload(model, context, nPrompt, flags.get())) {
        results.add(
            Measurement.of("pp" + work.n(), work.n(), repetitions, work::prompt, work::prompt));
      }
    }
    if (nGenerate > 0) {
      listener.report("measuring generation", -1);
      try (var work = new DecoderWorkload(model, context, nGenerate, flags.get())) {
        results.add(
            Measurement.of("tg" + work.n(), work.n(), repetitions, work::one, work::generate));
      }
    }
    return results;
  }

  /**
   * Measures a model of one file: its image encoder, and what it does with texts.
   *
   * @param nGenerate tokens of a caption or an answer; 0 for no such test
   * @throws dev.ocellus.compute.ComputationCancelledException if a flag was set
   */
  public List<Measurement> oneFile(OneFileModel model, RgbImage image, int nGenerate)
      throws IOException {
    List<Measurement> results = new ArrayList<>();
    for (OneFileModel.Test test : model.tests(image, nGenerate, flags)) {
      listener.report("measuring " + test.name(), -1);
      results.add(
          Measurement.of(test.name(), test.tokens(), repetitions, test.work(), test.work()));
    }
    return results;
  }

  /**
   * Measures the encoding of an image.
   *
   * @throws dev.ocellus.compute.ComputationCancelledException if a flag was set
   */
  public Measurement imageEncode(VisionEncoder encoder, ImageInput input) throws IOException {
    listener.report("measuring the image encoder", -1);
    CancellationFlag flag = flags.get();
    Measurement.Work encode = () -> encoder.encode(List.of(input), flag);
    return Measurement.of("image encode", input.nTokens(), repetitions, encode, encode);
  }

  /** Measures preprocessing: what becomes of pixels before the encoder gets them. */
  public Measurement imagePreprocess(int nTokens, Measurement.Work prepare) throws IOException {
    listener.report("measuring preprocessing", -1);
    return Measurement.of("image preprocess", nTokens, repetitions, prepare, prepare);
  }

  /**
   * An image to measure with, 640 × 480: smooth in one direction and busy in the other, so that no
   * step has an easy case.
   */
  public static RgbImage testImage() {
    int width = 640;
    int height = 480;
    byte[] rgb = new byte[3 * width * height];
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        int at = 3 * (y * width + x);
        rgb[at] = (byte) (255 * x / width);
        rgb[at + 1] = (byte) (255 * y / height);
        rgb[at + 2] = (byte) ((x * 31 + y * 17) & 255);
      }
    }
    return RgbImage.of(width, height, rgb);
  }
}
