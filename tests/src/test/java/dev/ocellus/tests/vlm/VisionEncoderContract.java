package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.compute.ComputationCancelledException;
import dev.ocellus.compute.MatrixPrecision;
import dev.ocellus.ggml.MissingWeightException;
import dev.ocellus.ggml.WeightShapeException;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufTensor;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.tests.reference.Tolerances;
import dev.ocellus.vlm.encoder.ImageEmbeddings;
import dev.ocellus.vlm.encoder.VisionEncoder;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.vision.ImageInput;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What every vision family must do; the subclasses add parity with their reference. */
abstract class VisionEncoderContract {
  @TempDir Path directory;

  /** A small mmproj file of the family. */
  abstract Path mmproj() throws IOException;

  /** A weight that the family cannot do without, of more than one dimension. */
  abstract String requiredWeight();

  /** Two images whose tiles have the same shape. */
  abstract List<RgbImage> alikeImages() throws IOException;

  private VisionEncoder open() throws IOException {
    return VisionEncoder.open(mmproj(), 1, false);
  }

  @Test
  void givesAsManyEmbeddingsAsItAnnounces() throws IOException {
    try (VisionEncoder encoder = open()) {
      for (RgbImage image : alikeImages()) {
        ImageInput input = encoder.prepare(image);
        ImageEmbeddings embeddings = encoder.encode(input);
        assertThat(embeddings.nTokens()).isEqualTo(input.nTokens()).isPositive();
        assertThat(embeddings.width()).isEqualTo(encoder.architecture().width());
        assertThat(embeddings.values()).hasSize(embeddings.nTokens() * embeddings.width());
        assertThat(input.pixels()).hasSize(input.pixelShape().stream().reduce(1, (a, b) -> a * b));
      }
    }
  }

  @Test
  void encodesABatchAsItEncodesEachImage() throws IOException {
    try (VisionEncoder encoder = open()) {
      List<ImageInput> inputs = alikeImages().stream().map(encoder::prepare).toList();
      List<ImageEmbeddings> batch = encoder.encode(inputs, new CancellationFlag());
      for (int i = 0; i < inputs.size(); i++) {
        float[] single = encoder.encode(inputs.get(i)).values();
        // the kernels may add in another order for another number of rows
        for (int j = 0; j < single.length; j++) {
          assertThat(Math.abs(batch.get(i).values()[j] - single[j])).isLessThan(Tolerances.BATCH);
        }
      }
    }
  }

  @Test
  void encodesTilesOneByOneAsItEncodesThemTogether() throws IOException {
    try (VisionEncoder together = open();
        VisionEncoder single = VisionEncoder.open(mmproj(), 1, false, MatrixPrecision.EXACT, 0)) {
      List<ImageInput> inputs = alikeImages().stream().map(together::prepare).toList();
      List<ImageEmbeddings> expected = together.encode(inputs, new CancellationFlag());
      List<ImageEmbeddings> found = single.encode(inputs, new CancellationFlag());
      for (int i = 0; i < inputs.size(); i++) {
        assertThat(found.get(i).values())
            .usingComparatorWithPrecision(Tolerances.BATCH)
            .containsExactly(expected.get(i).values());
      }
      if (inputs.getFirst().tiles().getFirst().shape().size() == 4) {
        assertThat(single.computeBufferBytes()).isLessThan(together.computeBufferBytes());
      } else { // tiles that never go through together
        assertThat(single.computeBufferBytes()).isEqualTo(together.computeBufferBytes());
      }
    }
  }

  /**
   * Of five tiles or more each of three threads has its own, and those that are left are shared.
   */
  @Test
  void encodesTilesOfManyImagesWithMoreThreads() throws IOException {
    try (VisionEncoder one = open();
        VisionEncoder several = VisionEncoder.open(mmproj(), 3, false)) {
      List<RgbImage> two = alikeImages();
      List<RgbImage> images = List.of(two.get(0), two.get(1), two.get(1), two.get(0), two.get(1));
      List<ImageInput> inputs = images.stream().map(one::prepare).toList();
      List<ImageEmbeddings> found = several.encode(inputs, new CancellationFlag());
      for (int i = 0; i < inputs.size(); i++) {
        assertThat(found.get(i).values())
            .usingComparatorWithPrecision(Tolerances.BATCH)
            .containsExactly(one.encode(inputs.get(i)).values());
      }
    }
  }

  @Test
  void encodesAnImageTheSameEveryTime() throws IOException {
    try (VisionEncoder encoder = open()) {
      ImageInput input = encoder.prepare(alikeImages().getFirst());
      float[] first = encoder.encode(input).values().clone();
      encoder.encode(encoder.prepare(alikeImages().getLast()));
      assertThat(encoder.encode(input).values()).isEqualTo(first);
    }
  }

  @Test
  void encodesAnImageTheSameAfterALargerBatch() throws IOException {
    try (VisionEncoder encoder = open()) {
      ImageInput input = encoder.prepare(alikeImages().getFirst());
      float[] first = encoder.encode(input).values().clone();
      // needs more memory for intermediates, so what the first graph had is freed
      encoder.encode(Collections.nCopies(24, input), new CancellationFlag());
      assertThat(encoder.encode(input).values()).isEqualTo(first);
      assertThat(encoder.intermediates(input, List.of("projector.out"))).hasSize(1);
      assertThat(encoder.encode(input).values()).isEqualTo(first);
    }
  }

  @Test
  void namesAMissingWeight() throws IOException {
    Path file = directory.resolve("missing.gguf");
    rewrite(
        file,
        (writer, tensor) -> {
          if (!tensor.name().equals(requiredWeight())) {
            writer.tensor(tensor);
          }
        });
    assertThatThrownBy(() -> VisionEncoder.open(file, 1, false))
        .isInstanceOf(MissingWeightException.class)
        .hasMessageContaining(requiredWeight())
        .hasMessageContaining(file.toString());
  }

  @Test
  void tellsTheExpectedShapeOfAWeight() throws IOException {
    Path file = directory.resolve("shape.gguf");
    long[] wrong = {3, 5};
    rewrite(
        file,
        (writer, tensor) -> {
          if (tensor.name().equals(requiredWeight())) {
            writer.tensor(tensor.name(), new float[15], wrong);
          } else {
            writer.tensor(tensor);
          }
        });
    assertThatThrownBy(() -> VisionEncoder.open(file, 1, false))
        .isInstanceOf(WeightShapeException.class)
        .hasMessageContaining(requiredWeight())
        .hasMessageContaining("expected [")
        .hasMessageContaining("found [3, 5]");
  }

  private interface Copy {
    void accept(GgufWriter writer, GgufTensor tensor);
  }

  private void rewrite(Path target, Copy copy) throws IOException {
    try (GgufFile source = GgufFile.open(mmproj())) {
      GgufWriter writer = new GgufWriter().putAll(source.metadata());
      for (GgufTensor tensor : source.tensors()) {
        copy.accept(writer, tensor);
      }
      writer.write(target);
    }
  }

  @Test
  void closesTwice() throws IOException {
    VisionEncoder encoder = open();
    encoder.close();
    encoder.close();
  }

  @Test
  void refusesUseAfterClose() throws IOException {
    VisionEncoder encoder = open();
    ImageInput input = encoder.prepare(alikeImages().getFirst());
    encoder.close();
    assertThatThrownBy(() -> encoder.encode(input))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("closed");
  }

  @Test
  void stopsWhenCancelled() throws IOException {
    try (VisionEncoder encoder = open()) {
      ImageInput input = encoder.prepare(alikeImages().getFirst());
      CancellationFlag flag = new CancellationFlag();
      flag.cancel();
      assertThatThrownBy(() -> encoder.encode(List.of(input), flag))
          .isInstanceOf(ComputationCancelledException.class);
      assertThat(encoder.encode(input).values()).isNotEmpty();
    }
  }
}
