package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.ggml.MissingWeightException;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.vlm.encoder.VisionEncoder;
import dev.ocellus.vlm.graph.GraphRun;
import dev.ocellus.vlm.graph.GraphRunner;
import dev.ocellus.vlm.graph.RunnerOptions;
import dev.ocellus.vlm.model.tower.ClipTower;
import dev.ocellus.vlm.model.tower.HiddenStates;
import dev.ocellus.vlm.model.tower.TowerConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** CLIP's tower as models use it that embed whole images. */
class ClipTowerTest {
  @TempDir Path directory;

  private static float[] pixels() throws IOException {
    try (VisionEncoder encoder = VisionEncoder.open(Golden.MMPROJ, 1, false)) {
      return encoder.prepare(Golden.image("exact_56x56.png")).pixels();
    }
  }

  /** The file of LLaVA, which has no norm behind the tower, with one. */
  private Path withPostNorm(float[] weight, float[] bias) throws IOException {
    Path file = directory.resolve("clip.gguf");
    try (GgufFile source = GgufFile.open(Golden.MMPROJ)) {
      GgufWriter writer = new GgufWriter().putAll(source.metadata());
      source.tensors().forEach(writer::tensor);
      writer
          .tensor("v.post_ln.weight", weight, weight.length)
          .tensor("v.post_ln.bias", bias, bias.length)
          .write(file);
    }
    return file;
  }

  @Test
  void normsTheClsTokenOfTheLastLayer() throws IOException {
    float[] weight = new float[64];
    float[] bias = new float[64];
    for (int i = 0; i < weight.length; i++) {
      weight[i] = 1 + i / 64f;
      bias[i] = i % 5 - 2;
    }
    try (GraphRunner runner = GraphRunner.open(withPostNorm(weight, bias), RunnerOptions.cpu(1))) {
      TowerConfig config = ClipTower.config(runner.file().metadata());
      var pooled =
          ClipTower.Pooled.of(
              new ClipTower(config, runner.weights().at("v")),
              config,
              runner.weights().at("v"),
              ClipTower.Pooling.CLS);
      runner.load();
      try (GraphRun run =
          runner.start(
              1,
              graph -> {
                Tensor x = graph.input("pixels", 56, 56, 3, 1);
                graph.output("pooled", pooled.forward(x, false));
                graph.output("last", pooled.tower().forward(x).last());
              })) {
        run.set("pixels", pixels()).compute();
        float[] cls = Arrays.copyOf(run.get("last"), 64);
        assertThat(run.get("pooled"))
            .usingComparatorWithPrecision(1e-5f)
            .containsExactly(normed(cls, config.eps(), weight, bias));
      }
    }
  }

  private static float[] normed(float[] x, double eps, float[] weight, float[] bias) {
    double mean = 0;
    double squares = 0;
    for (float value : x) {
      mean += value / (double) x.length;
    }
    for (float value : x) {
      squares += (value - mean) * (value - mean) / x.length;
    }
    float[] y = new float[x.length];
    for (int i = 0; i < y.length; i++) {
      y[i] = (float) ((x[i] - mean) / Math.sqrt(squares + eps) * weight[i] + bias[i]);
    }
    return y;
  }

  @Test
  void saysThatLlavaHasNoNormBehindTheTower() throws IOException {
    try (GraphRunner runner = GraphRunner.open(Golden.MMPROJ, RunnerOptions.cpu(1))) {
      TowerConfig config = ClipTower.config(runner.file().metadata());
      assertThatThrownBy(() ->
              ClipTower.Pooled.of(
                  new ClipTower(config, runner.weights().at("v")),
                  config,
                  runner.weights().at("v"),
                  ClipTower.Pooling.CLS))
          .isInstanceOf(MissingWeightException.class)
          .hasMessageContaining("v.post_ln.weight");
    }
  }

  @Test
  void givesTheStateOfEveryLayer() throws IOException {
    try (GraphRunner runner = GraphRunner.open(Golden.MMPROJ, RunnerOptions.cpu(1))) {
      TowerConfig config = ClipTower.config(runner.file().metadata());
      ClipTower tower = new ClipTower(config, runner.weights().at("v"));
      runner.load();
      try (GraphRun run =
          runner.start(
              1,
              graph -> {
                HiddenStates states = tower.forward(graph.input("pixels", 56, 56, 3, 1));
                assertThat(states.states()).hasSize(config.nLayer() + 1);
                graph.output("first", states.states().get(1));
                graph.output("last", states.last());
                graph.output("joined", states.joined(List.of(1, config.nLayer())));
              })) {
        run.set("pixels", pixels()).compute();
        float[] joined = run.get("joined");
        assertThat(Arrays.copyOfRange(joined, 0, 64))
            .isEqualTo(Arrays.copyOf(run.get("first"), 64));
        assertThat(Arrays.copyOfRange(joined, 64, 128))
            .isEqualTo(Arrays.copyOf(run.get("last"), 64));
        assertThat(joined).hasSize(2 * 64 * (1 + config.nPatches()));
      }
    }
  }
}
