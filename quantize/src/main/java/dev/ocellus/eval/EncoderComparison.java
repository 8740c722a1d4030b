package dev.ocellus.eval;

import static java.util.Objects.requireNonNull;

import dev.ocellus.compute.Accelerator;
import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.compute.ComputationCancelledException;
import dev.ocellus.compute.MatrixPrecision;
import dev.ocellus.quantize.measure.ComparisonReport.Named;
import dev.ocellus.quantize.measure.VectorError;
import dev.ocellus.vlm.encoder.VisionEncoder;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.imagetext.ImageTextOptions;
import dev.ocellus.vlm.vision.ImageInput;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Compares two image encoders: what their layers compute, and the embeddings that come out. */
public final class EncoderComparison {
  /**
   * @param layers errors by the name of the layer, over the first tiles of all images
   * @param images errors of the embeddings by the name of the image
   */
  public record Result(List<Named> layers, List<Named> images) {}

  private EncoderComparison() {}

  /**
   * Compares on images; both get what the reference's preprocessing makes of them.
   *
   * @param reference mmproj file
   * @param other mmproj file
   * @param nThreads threads to compute with
   * @param gpu whether a GPU may be used
   * @throws ComputationCancelledException if the flag was set
   */
  public static Result compare(
      Path reference,
      Path other,
      List<NamedImage> images,
      int nThreads,
      boolean gpu,
      EvalListener listener,
      CancellationFlag flag)
      throws IOException {
    if (OneFileModel.isOne(reference)) {
      ImageTextOptions options =
          new ImageTextOptions(nThreads, gpu, MatrixPrecision.EXACT, Accelerator.AUTO);
      return compareOneFile(reference, other, images, options, listener, flag);
    }
    Map<String, VectorError.Sums> layers = new LinkedHashMap<>();
    List<Named> embeddings = new ArrayList<>();
    listener.report("loading", -1);
    try (var first = VisionEncoder.open(reference, nThreads, gpu);
        var second = VisionEncoder.open(other, nThreads, gpu)) {
      int n = images.size();
      for (int i = 0; i < n; i++) {
        report(listener, flag, i, n);
        NamedImage image = images.get(i);
        ImageInput input = first.prepare(image.reader().read());
        addLayers(layers, first.intermediates(input), second.intermediates(input));
        embeddings.add(
            new Named(
                image.name(),
                VectorError.of(first.encode(input).values(), second.encode(input).values())));
      }
    }
    return result(layers, embeddings);
  }

  /** Of a dual encoder or one such as BLIP: its stages, of which the last is what comes out. */
  private static Result compareOneFile(
      Path reference,
      Path other,
      List<NamedImage> images,
      ImageTextOptions options,
      EvalListener listener,
      CancellationFlag flag)
      throws IOException {
    Map<String, VectorError.Sums> layers = new LinkedHashMap<>();
    List<Named> embeddings = new ArrayList<>();
    listener.report("loading", -1);
    try (var first = OneFileModel.open(reference, options);
        var second = OneFileModel.open(other, options)) {
      for (int i = 0; i < images.size(); i++) {
        report(listener, flag, i, images.size());
        RgbImage image = images.get(i).reader().read();
        Map<String, float[]> expected = first.stages(image);
        Map<String, float[]> found = second.stages(image);
        addLayers(layers, expected, found);
        String last = List.copyOf(expected.keySet()).getLast();
        embeddings.add(
            new Named(
                images.get(i).name(),
                VectorError.of(
                    requireNonNull(expected.get(last)), found.getOrDefault(last, new float[0]))));
      }
    }
    return result(layers, embeddings);
  }

  private static void report(EvalListener listener, CancellationFlag flag, int i, int n) {
    if (flag.isCancelled()) {
      throw new ComputationCancelledException("The comparison was cancelled");
    }
    listener.report("image %d of %d".formatted(i + 1, n), (double) i / n);
  }

  private static Result result(Map<String, VectorError.Sums> layers, List<Named> embeddings) {
    List<Named> named = new ArrayList<>();
    layers.forEach((name, sums) -> named.add(new Named(name, sums.error())));
    return new Result(named, embeddings);
  }

  private static void addLayers(
      Map<String, VectorError.Sums> layers,
      Map<String, float[]> reference,
      Map<String, float[]> other) {
    reference.forEach((name, values) -> {
      float[] theirs = other.get(name);
      if (theirs != null && theirs.length == values.length) {
        layers.computeIfAbsent(name, n -> new VectorError.Sums()).add(values, theirs);
      }
    });
  }
}
