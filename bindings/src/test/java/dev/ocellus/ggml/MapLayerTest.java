package dev.ocellus.ggml;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.compute.Accelerator;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Layers as one node, beside the same ones as nodes of ggml. */
class MapLayerTest extends ComputedMaps {
  private static final ConvGeometry SAME = ConvGeometry.of(1, 1);

  private Tensor kernel(GraphBuilder b, int in, int out) {
    return input(b, 1 / Math.sqrt(3.0 * in), 3, 3, in, out);
  }

  private long bytesNeeded(Function<GraphBuilder, Tensor> body) {
    return with(
        Accelerator.OPENBLAS,
        2,
        scheduler -> {
          try (var builder = new GraphBuilder();
              Graph graph = builder.build(body.apply(builder))) {
            return scheduler.bytesNeeded(graph);
          }
        });
  }

  private void isAsItsParts(
      Function<GraphBuilder, Tensor> layer, Function<GraphBuilder, Tensor> parts) {
    float[] expected = computed(Accelerator.OFF, 0, parts);
    for (int nThreads : new int[] {1, 2, 5}) {
      assertClose(computed(Accelerator.OPENBLAS, nThreads, layer), expected);
    }
  }

  private static Tensor parts(Tensor x, MapLayer.Norm n, Tensor kernel, Tensor bias, Tensor sum) {
    Tensor y = FeatureMaps.groupNorm(x, n.groups(), n.eps(), n.scale(), n.shift()).silu();
    return FeatureMaps.conv2d(y, kernel, SAME, bias, sum);
  }

  @ParameterizedTest
  @CsvSource({
    "256, 253, 64, 32, 1", // strips of 126, 126 and 1 row
    "700, 61, 96, 32, 1",
    "33, 31, 64, 64, 2",
    "10, 12, 64, 96, 2", // too small for tiles of two by two
    "2, 40, 64, 160, 1",
    "40, 2, 64, 160, 1"
  })
  void normsAndConvolutions(int width, int height, int in, int out, int batch) {
    Function<GraphBuilder, Tensor[]> all =
        b ->
            new Tensor[] {
              input(b, 3, width, height, in, batch),
              input(b, 1, 1, 1, in),
              input(b, 1, 1, 1, in),
              kernel(b, in, out),
              input(b, 1, 1, 1, out),
              input(b, 1, width, height, out, batch)
            };
    isAsItsParts(
        b -> {
          Tensor[] t = all.apply(b);
          var layer =
              new MapLayer(
                  MapLayer.Form.SAME, new MapLayer.Norm(32, 1e-6f, t[1], t[2]), t[3], t[4]);
          return layer.applyInto(t[0], t[5]);
        },
        b -> {
          Tensor[] t = all.apply(b);
          return parts(t[0], new MapLayer.Norm(32, 1e-6f, t[1], t[2]), t[3], t[4], t[5]);
        });
  }

  @ParameterizedTest
  @CsvSource({"40, 44, 48, 40, 2", "9, 200, 32, 64, 1", "6, 6, 128, 128, 1"})
  void doubled(int width, int height, int in, int out, int batch) {
    isAsItsParts(
        b ->
            new MapLayer(MapLayer.Form.DOUBLED, null, kernel(b, in, out), input(b, 1, 1, 1, out))
                .apply(input(b, 1, width, height, in, batch)),
        b -> {
          Tensor kernel = kernel(b, in, out);
          Tensor bias = input(b, 1, 1, 1, out);
          return FeatureMaps.doubledConv2d(input(b, 1, width, height, in, batch), kernel, bias);
        });
  }

  @ParameterizedTest
  @CsvSource({"40, 44, 48, 40, 2", "41, 17, 32, 64, 1", "2, 600, 64, 64, 1"})
  void halved(int width, int height, int in, int out, int batch) {
    isAsItsParts(
        b ->
            new MapLayer(MapLayer.Form.HALVED, null, kernel(b, in, out), input(b, 1, 1, 1, out))
                .apply(input(b, 1, width, height, in, batch)),
        b -> {
          Tensor kernel = kernel(b, in, out);
          Tensor bias = input(b, 1, 1, 1, out);
          Tensor padded = FeatureMaps.pad(input(b, 1, width, height, in, batch), 0, 1, 0, 1);
          return FeatureMaps.conv2d(padded, kernel, ConvGeometry.of(2, 0), bias, null);
        });
  }

  @Test
  void aNormOfNumbersThatAreFarFromZero() {
    isAsItsParts(b -> far(b, true), b -> far(b, false));
  }

  private Tensor far(GraphBuilder b, boolean layer) {
    Tensor x = input(b, 1, 60, 60, 32, 1).plus(50);
    MapLayer.Norm norm = new MapLayer.Norm(4, 1e-6f, input(b, 1, 1, 1, 32), input(b, 1, 1, 1, 32));
    Tensor kernel = kernel(b, 32, 32);
    Tensor bias = input(b, 1, 1, 1, 32);
    return layer
        ? new MapLayer(MapLayer.Form.SAME, norm, kernel, bias).apply(x)
        : FeatureMaps.conv2d(
            FeatureMaps.groupNorm(x, 4, 1e-6f, norm.scale(), norm.shift()).silu(),
            kernel,
            SAME,
            bias,
            null);
  }

  @ParameterizedTest
  @CsvSource({
    "256, 253, 32, 64, 1, false", // strips of 122, 122 and 9 rows
    "256, 245, 64, 64, 1, true", // a last strip of one row
    "256, 246, 64, 64, 1, true",
    "500, 130, 96, 96, 2, true",
    "33, 31, 64, 32, 2, false",
    "10, 12, 64, 64, 2, true",
    "2, 40, 64, 64, 1, true",
    "40, 2, 64, 64, 1, true"
  })
  void wholeBlocks(int width, int height, int in, int out, int batch, boolean overItself) {
    isAsItsParts(
        b -> block(b, width, height, in, out, batch, overItself, true),
        b -> block(b, width, height, in, out, batch, overItself, false));
  }

  private Tensor block(
      GraphBuilder b,
      int width,
      int height,
      int in,
      int out,
      int batch,
      boolean overItself,
      boolean asBlock) {
    Tensor x = input(b, 2, width, height, in, batch).scale(1);
    Tensor added = overItself ? x : input(b, 1, width, height, out, batch);
    var norm1 = new MapLayer.Norm(32, 1e-6f, input(b, 1, 1, 1, in), input(b, 1, 1, 1, in));
    var norm2 = new MapLayer.Norm(8, 1e-5f, input(b, 1, 1, 1, out), input(b, 1, 1, 1, out));
    Tensor kernel1 = kernel(b, in, out);
    Tensor kernel2 = kernel(b, out, out);
    Tensor bias = input(b, 1, 1, 1, out);
    if (asBlock) {
      return new MapBlock(
              new MapLayer(MapLayer.Form.SAME, norm1, kernel1, bias),
              new MapLayer(MapLayer.Form.SAME, norm2, kernel2, bias))
          .applyInto(x, added);
    }
    Tensor y = FeatureMaps.groupNorm(x, 32, 1e-6f, norm1.scale(), norm1.shift()).silu();
    return parts(FeatureMaps.conv2d(y, kernel1, SAME, bias, null), norm2, kernel2, bias, added);
  }

  /** Blocks one behind the other, whose maps of 64 channels are 1 MiB each. */
  private Tensor blocks(GraphBuilder b, boolean asLayers) {
    Tensor x = input(b, 1, 64, 64, 64, 1).scale(0.5f);
    for (int i = 0; i < 3; i++) {
      MapLayer.Norm norm =
          new MapLayer.Norm(32, 1e-6f, input(b, 1, 1, 1, 64), input(b, 1, 1, 1, 64));
      Tensor first = kernel(b, 64, 64);
      Tensor second = kernel(b, 64, 64);
      Tensor bias = input(b, 1, 1, 1, 64);
      if (asLayers) {
        Tensor y = new MapLayer(MapLayer.Form.SAME, norm, first, bias).apply(x);
        x = new MapLayer(MapLayer.Form.SAME, norm, second, bias).applyInto(y, x);
      } else {
        Tensor y = FeatureMaps.groupNorm(x, 32, 1e-6f, norm.scale(), norm.shift()).silu();
        x = parts(FeatureMaps.conv2d(y, first, SAME, bias, null), norm, second, bias, x);
      }
    }
    return x.scale(1);
  }

  @Test
  void residualBlocks() {
    isAsItsParts(b -> blocks(b, true), b -> blocks(b, false));
  }

  @Test
  void residualBlocksNeedOneMapLess() {
    long map = 1L << 20;
    long saved = bytesNeeded(b -> blocks(b, false)) - bytesNeeded(b -> blocks(b, true));
    assertThat(saved).isGreaterThanOrEqualTo(map);
    assertThat(bytesNeeded(b -> blocks(b, true))).isLessThan(5 * map); // with inputs as weights
    long whole = bytesNeeded(b -> block(b, 64, 64, 64, 64, 1, true, true));
    assertThat(whole).isLessThan(3 * map); // the input, and the map that becomes the result
  }

  @Test
  void memoryThatAnAcceleratorSharesIsCountedOnce() {
    Function<GraphBuilder, Tensor> body =
        b -> FeatureMaps.conv2d(input(b, 1, 64, 64, 64, 1), kernel(b, 64, 64), SAME);
    long with = bytesNeeded(body);
    long without =
        with(
            Accelerator.OFF,
            0,
            scheduler -> {
              try (var builder = new GraphBuilder();
                  Graph graph = builder.build(body.apply(builder))) {
                return scheduler.bytesNeeded(graph);
              }
            });
    assertThat(with).isEqualTo(without);
  }

  @Test
  void whatNoAcceleratorTakesIsNoNumber() {
    float[] found =
        computed(
            Accelerator.OFF,
            0,
            b ->
                new MapLayer(MapLayer.Form.DOUBLED, null, kernel(b, 32, 32), null)
                    .apply(input(b, 1, 40, 40, 32, 1)));
    assertThat(found).containsOnly(Float.NaN);
  }

  @Test
  void whatDoesNotFitIsRefused() {
    try (var b = new GraphBuilder()) {
      Tensor x = input(b, 1, 40, 40, 32, 1);
      var layer = new MapLayer(MapLayer.Form.SAME, null, kernel(b, 32, 32), null);
      assertThatThrownBy(() -> layer.applyInto(x, x)).hasMessageContaining("cannot be added");
      assertThatThrownBy(() -> layer.apply(input(b, 1, 40, 40, 16, 1)))
          .hasMessageContaining("does not fit");
      assertThatThrownBy(() ->
              new MapLayer(
                      MapLayer.Form.SAME,
                      new MapLayer.Norm(5, 1, input(b, 1, 1, 1, 32), input(b, 1, 1, 1, 32)),
                      kernel(b, 32, 32),
                      null)
                  .apply(x))
          .hasMessageContaining("a number for each channel");
      assertThat(layer.fits(input(b, 1, 2, 2, 32, 1))).isFalse();
    }
  }
}
