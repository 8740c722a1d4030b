package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.compute.MatrixPrecision;
import dev.ocellus.ggml.Device;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufTensor;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.gguf.TensorType;
import dev.ocellus.io.Memory;
import dev.ocellus.safetensors.SafetensorsFile;
import dev.ocellus.tests.reference.Tolerances;
import dev.ocellus.vlm.encoder.VisionEncoder;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What the precisions promise, on the golden LLaVA with its matrices in F16: the type of its
 * checkpoint, so that nothing is lost in the file.
 */
class VisionPrecisionTest {
  private static final Path EXPECTED =
      Path.of("golden/models/llava-1.5/cases/exact/expected.safetensors");

  @TempDir Path directory;
  private Path halves;

  @BeforeEach
  void writeMatricesInF16() throws IOException {
    halves = directory.resolve("f16.gguf");
    try (GgufFile source = GgufFile.open(Golden.MMPROJ)) {
      GgufWriter writer = new GgufWriter().putAll(source.metadata());
      for (GgufTensor tensor : source.tensors()) {
        if (tensor.nDims() == 2 && !tensor.name().contains("position")) {
          writer.tensor(
              tensor.name(), TensorType.F16, halves(tensor), tensor.dim(0), tensor.dim(1));
        } else {
          writer.tensor(tensor);
        }
      }
      writer.write(halves);
    }
  }

  private static Memory halves(GgufTensor tensor) {
    float[] values = tensor.floats();
    ByteBuffer bytes = ByteBuffer.allocateDirect(2 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      bytes.putShort(Float.floatToFloat16(value));
    }
    return new Memory(MemorySegment.ofBuffer(bytes.flip()));
  }

  private static float[] encode(Path mmproj, MatrixPrecision precision) throws IOException {
    try (VisionEncoder encoder = VisionEncoder.open(mmproj, 1, false, precision)) {
      return encoder.encode(encoder.prepare(Golden.image("exact_56x56.png"))).values();
    }
  }

  private static double error(float[] rows) throws IOException {
    try (SafetensorsFile file = SafetensorsFile.open(EXPECTED)) {
      float[] expected = file.floats("projector.out");
      assertThat(rows).hasSameSizeAs(expected);
      double max = 0;
      for (int i = 0; i < rows.length; i++) {
        max = Math.max(max, Math.abs((double) rows[i] - expected[i]));
      }
      return max;
    }
  }

  @Test
  void exactComputesInF32WhateverFloatsTheWeightsAre() throws IOException {
    assertThat(error(encode(halves, MatrixPrecision.EXACT))).isLessThan(Tolerances.EMBEDDINGS);
  }

  @Test
  void exactIsTheDefault() throws IOException {
    try (VisionEncoder encoder = VisionEncoder.open(halves, 1, false)) {
      float[] rows = encoder.encode(encoder.prepare(Golden.image("exact_56x56.png"))).values();
      assertThat(rows).isEqualTo(encode(halves, MatrixPrecision.EXACT));
    }
    assertThat(Golden.options().vision().precision()).isEqualTo(MatrixPrecision.EXACT);
  }

  @Test
  void storedRoundsActivationsToTheTypeOfTheWeights() throws IOException {
    // kernels of other processors may keep the activations in F32, so there is no lower bound
    assertThat(error(encode(halves, MatrixPrecision.STORED))).isLessThan(Tolerances.STORED_F16);
    assertThat(encode(Golden.MMPROJ, MatrixPrecision.STORED))
        .isEqualTo(encode(Golden.MMPROJ, MatrixPrecision.EXACT));
  }

  @ParameterizedTest
  @EnumSource(names = {"BF16", "Q8_0", "FAST"})
  void otherTypesAreOffByTheirRounding(MatrixPrecision precision) throws IOException {
    double error = error(encode(halves, precision));
    assertThat(error).isGreaterThan(Tolerances.STORED_F16).isLessThan(0.15);
    assertThat(encode(Golden.MMPROJ, precision)).isEqualTo(encode(halves, precision));
  }

  @Test
  void fastIsBf16WhereTheProcessorHasIt() throws IOException {
    boolean hasBf16 = Device.cpu().features().contains("AVX512_BF16");
    assertThat(encode(halves, MatrixPrecision.FAST))
        .isEqualTo(encode(halves, hasBf16 ? MatrixPrecision.BF16 : MatrixPrecision.Q8_0));
  }
}
