package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.vlm.graph.GraphRun;
import dev.ocellus.vlm.graph.GraphRunner;
import dev.ocellus.vlm.graph.RunnerOptions;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.Mlp;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The two linear layers of a feed-forward block, which the first converters exchanged. */
class MlpTest {
  private static final float[] X = {1, -2, 0.5f};

  @TempDir Path directory;

  /** What the block with these names gives for {@link #X}. */
  private float[] compute(String first, String second, int nFf, boolean derived)
      throws IOException {
    Path file = directory.resolve(first + nFf + ".gguf");
    new GgufWriter()
        .string("general.architecture", "test")
        .tensor(first + ".weight", OneLayer.gaussians(3 * nFf, 1), 3, nFf)
        .tensor(first + ".bias", OneLayer.gaussians(nFf, 2), nFf)
        .tensor(second + ".weight", OneLayer.gaussians(nFf * 3, 3), nFf, 3)
        .tensor(second + ".bias", OneLayer.gaussians(3, 4), 3)
        .write(file);
    try (GraphRunner runner = GraphRunner.open(file, RunnerOptions.cpu(1))) {
      Mlp mlp =
          derived
              ? Mlp.of(runner.weights(), 3, Activation.SILU)
              : Mlp.of(runner.weights(), 3, nFf, Activation.SILU);
      runner.load();
      try (GraphRun run =
          runner.start(1, graph -> graph.output("y", mlp.forward(graph.input("x", 3, 1))))) {
        return run.set("x", X).compute().get("y");
      }
    }
  }

  private static float[] expected(int nFf) {
    float[] w1 = OneLayer.gaussians(3 * nFf, 1);
    float[] b1 = OneLayer.gaussians(nFf, 2);
    float[] w2 = OneLayer.gaussians(nFf * 3, 3);
    float[] y = OneLayer.gaussians(3, 4);
    for (int i = 0; i < nFf; i++) {
      double hidden = b1[i];
      for (int j = 0; j < 3; j++) {
        hidden += w1[i * 3 + j] * X[j];
      }
      hidden /= 1 + Math.exp(-hidden);
      for (int j = 0; j < 3; j++) {
        y[j] += (float) (w2[j * nFf + i] * hidden);
      }
    }
    return y;
  }

  @Test
  void takesBothNamesWhereTheSizesTell() throws IOException {
    for (boolean derived : new boolean[] {false, true}) {
      assertThat(compute("ffn_up", "ffn_down", 5, derived))
          .usingComparatorWithPrecision(1e-5f)
          .containsExactly(expected(5));
      assertThat(compute("ffn_down", "ffn_up", 5, derived))
          .usingComparatorWithPrecision(1e-5f)
          .containsExactly(expected(5));
    }
  }

  /** A checkpoint of today may well have such sizes, and one of then did not. */
  @Test
  void takesTheNamesAsTheyAreWhereTheSizesDoNotTell() throws IOException {
    for (boolean derived : new boolean[] {false, true}) {
      assertThat(compute("ffn_up", "ffn_down", 3, derived))
          .usingComparatorWithPrecision(1e-5f)
          .containsExactly(expected(3));
    }
  }
}
