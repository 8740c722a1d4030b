package dev.ocellus.ggml;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.compute.Accelerator;
import java.util.Arrays;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Operations on feature maps that are handed over, beside the same ones of ggml. */
class AccelMapsTest extends ComputedMaps {
  private void isAsGgmlComputesIt(Function<GraphBuilder, Tensor> body) {
    float[] expected = computed(Accelerator.OFF, 0, body);
    for (int nThreads : new int[] {1, 2, 5}) {
      assertClose(computed(Accelerator.OPENBLAS, nThreads, body), expected);
    }
  }

  private Tensor kernel(GraphBuilder b, int width, int height, int in, int out) {
    return input(b, 1 / Math.sqrt((double) width * height * in / 3), width, height, in, out);
  }

  @ParameterizedTest
  @CsvSource({
    "33, 17, 24, 40, 3, 1, 1, 1, 2", // tiles of two by two, the last ones cut off
    "34, 35, 24, 40, 3, 1, 0, 1, 1",
    "32, 31, 16, 32, 3, 1, 2, 1, 1",
    "10, 12, 64, 64, 3, 1, 1, 1, 3", // too small for tiles
    "40, 30, 64, 48, 1, 1, 0, 1, 2",
    "40, 30, 64, 48, 1, 2, 0, 1, 1",
    "41, 30, 16, 48, 4, 2, 1, 1, 2",
    "30, 40, 16, 48, 3, 1, 2, 2, 1",
    "64, 60, 3, 32, 7, 4, 3, 1, 1",
    "56, 70, 3, 160, 14, 14, 0, 1, 1",
    "1300, 3, 32, 32, 3, 1, 1, 1, 1", // rows in parts
    "3000, 2, 16, 16, 5, 1, 2, 1, 1",
    "32, 16, 512, 600, 3, 1, 1, 1, 1", // the kernel in parts
    "64, 64, 64, 3, 3, 1, 1, 1, 1"
  })
  void convolutions(
      int width,
      int height,
      int in,
      int out,
      int size,
      int stride,
      int padding,
      int dilation,
      int batch) {
    var geometry = new ConvGeometry(stride, stride, padding, padding, dilation, dilation);
    isAsGgmlComputesIt(b ->
        FeatureMaps.conv2d(
            input(b, 1, width, height, in, batch),
            kernel(b, size, size, in, out),
            geometry,
            input(b, 1, 1, 1, out),
            null));
  }

  @Test
  void convolutionsThatAreNotAlikeAcrossAndDown() {
    isAsGgmlComputesIt(b ->
        FeatureMaps.conv2d(
            input(b, 1, 41, 60, 16), kernel(b, 5, 2, 16, 48), new ConvGeometry(2, 1, 3, 0, 1, 3)));
  }

  @Test
  void whatIsAddedToAConvolution() {
    isAsGgmlComputesIt(b -> {
      Tensor x = input(b, 1, 40, 24, 32, 2);
      Tensor bias = input(b, 1, 1, 1, 32);
      Tensor y = FeatureMaps.conv2d(x, kernel(b, 3, 3, 32, 32), ConvGeometry.of(1, 1), bias, x);
      Tensor z = FeatureMaps.conv2d(y, kernel(b, 1, 1, 32, 32), ConvGeometry.of(1, 0), null, y);
      return FeatureMaps.conv2d(z, kernel(b, 3, 3, 32, 32), ConvGeometry.of(1, 1), bias, x);
    });
  }

  @ParameterizedTest
  @ValueSource(ints = {8, 20, 45})
  void convolutionsOfMapsOfTwiceTheSize(int side) {
    isAsGgmlComputesIt(b ->
        FeatureMaps.doubledConv2d(
            input(b, 1, side, side + 3, 48, 2), kernel(b, 3, 3, 48, 40), input(b, 1, 1, 1, 40)));
  }

  @Test
  void convolutionsOfMapsOfTwiceTheSizeThatOthersReadToo() {
    isAsGgmlComputesIt(b -> {
      Tensor x = FeatureMaps.upscaleNearest(input(b, 1, 21, 20, 32), 2);
      return FeatureMaps.conv2d(x, kernel(b, 3, 3, 32, 32), ConvGeometry.of(1, 1)).add(x);
    });
  }

  @Test
  void aKernelThatLeavesTheEdgesOut() {
    isAsGgmlComputesIt(b -> {
      Tensor x = FeatureMaps.upscaleNearest(input(b, 1, 21, 20, 32), 2).onlyForNext();
      return FeatureMaps.conv2d(x, kernel(b, 3, 3, 32, 32), ConvGeometry.of(1, 0));
    });
  }

  @Test
  void normsInOnePassAndStepByStep() {
    isAsGgmlComputesIt(b -> {
      Tensor x = input(b, 3, 31, 24, 64, 2);
      Tensor weight = input(b, 1, 1, 1, 64);
      Tensor bias = input(b, 1, 1, 1, 64);
      Tensor y = FeatureMaps.groupNorm(x, 32, 1e-6f, weight, bias).onlyForNext().silu();
      Tensor z = FeatureMaps.groupNorm(y, 16, 1e-5f, weight, bias);
      Tensor steps = FeatureMaps.groupNorm(z, 4, 1e-5f).mul(weight).add(bias).silu();
      return steps.add(FeatureMaps.groupNorm(x, 1, 1e-5f)).add(z);
    });
  }

  @Test
  void blocksOfADecoder() {
    isAsGgmlComputesIt(b -> {
      Tensor x = input(b, 1, 20, 18, 64);
      for (int i = 0; i < 3; i++) {
        Tensor y =
            FeatureMaps.groupNorm(x, 32, 1e-6f, input(b, 1, 1, 1, 64), input(b, 1, 1, 1, 64));
        y = y.onlyForNext().silu();
        Tensor kernel = kernel(b, 3, 3, 64, 64);
        x = FeatureMaps.conv2d(y, kernel, ConvGeometry.of(1, 1), input(b, 1, 1, 1, 64), x);
        x = i == 1 ? FeatureMaps.doubledConv2d(x, kernel(b, 3, 3, 64, 64), null) : x;
      }
      return x;
    });
  }

  @Test
  void anImageAloneIsAsTheSameOneInABatch() {
    float[] all =
        computed(
            Accelerator.OPENBLAS,
            2,
            b ->
                FeatureMaps.conv2d(
                    input(b, 1, 40, 40, 32, 3), kernel(b, 3, 3, 32, 32), ConvGeometry.of(1, 1)));
    values.set(0, Arrays.copyOfRange(values.get(0), 2 * 40 * 40 * 32, 3 * 40 * 40 * 32));
    float[] last =
        computed(
            Accelerator.OPENBLAS,
            2,
            b ->
                FeatureMaps.conv2d(
                    input(b, 1, 40, 40, 32, 1), kernel(b, 3, 3, 32, 32), ConvGeometry.of(1, 1)));
    assertThat(Arrays.copyOfRange(all, all.length - last.length, all.length)).isEqualTo(last);
  }

  @Test
  void whatIsNoNumberStaysNone() {
    computed(Accelerator.OFF, 0, b -> nanned(b));
    values.get(0)[5] = Float.NaN;
    assertThat(computed(Accelerator.OPENBLAS, 2, b -> nanned(b))).contains(Float.NaN);
  }

  private Tensor nanned(GraphBuilder b) {
    Tensor x = input(b, 1, 40, 40, 32);
    Tensor weight = input(b, 1, 1, 1, 32);
    Tensor y = FeatureMaps.groupNorm(x, 32, 1e-6f, weight, weight).onlyForNext().silu();
    return FeatureMaps.conv2d(y, kernel(b, 3, 3, 32, 32), ConvGeometry.of(1, 1));
  }

  @Test
  void oneDnnComputesThemToo() {
    Function<GraphBuilder, Tensor> body =
        b ->
            FeatureMaps.conv2d(
                input(b, 1, 40, 40, 32), kernel(b, 3, 3, 32, 32), ConvGeometry.of(2, 1));
    assertClose(computed(Accelerator.ONEDNN, 2, body), computed(Accelerator.OFF, 0, body));
  }
}
