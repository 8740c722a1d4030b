package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.vlm.encoder.VisionEncoder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The resampler with two heads, which the golden data have no room for, against plain loops. */
class ResamplerTest {
  private static final Path GOLDEN = Path.of("golden/models/minicpm-v/gguf/mmproj.gguf");
  private static final int N_IN = 32;
  private static final int N_EMBD = 256; // two heads of 128
  private static final int N_QUERIES = 64; // as published, and enough for the fused kernel

  @TempDir Path directory;

  private final Random random = new Random(5);
  private final Map<String, float[]> weights = new HashMap<>();

  @Test
  void equalsPlainLoopsWithTwoHeads() throws IOException {
    Path file = directory.resolve("two-heads.gguf");
    try (GgufFile source = GgufFile.open(GOLDEN)) {
      GgufWriter writer = new GgufWriter().putAll(source.metadata());
      source.tensors().stream().filter(t -> t.name().startsWith("v.")).forEach(writer::tensor);
      add(writer, "query", N_EMBD, N_QUERIES);
      add(writer, "kv.weight", N_IN, N_EMBD);
      for (String part : List.of("q", "k", "v", "out")) {
        add(writer, "attn." + part + ".weight", N_EMBD, N_EMBD);
        add(writer, "attn." + part + ".bias", N_EMBD);
      }
      for (String norm : List.of("ln_q", "ln_kv", "ln_post")) {
        add(writer, norm + ".weight", N_EMBD);
        add(writer, norm + ".bias", N_EMBD);
      }
      add(writer, "proj.weight", N_EMBD, N_EMBD);
      writer.write(file);
    }
    try (VisionEncoder encoder = VisionEncoder.open(file, 1, false)) {
      var input = encoder.prepare(Golden.noise(40, 20, 3)); // one tile, wider than high
      var tile = input.tiles().getFirst();
      assertThat(tile.gridX()).isGreaterThan(tile.gridY());
      var values = encoder.intermediates(input, List.of("vision.last_hidden", "resampler"));
      float[] hidden = Objects.requireNonNull(values.get("vision.last_hidden"));
      float[] actual = Objects.requireNonNull(values.get("resampler"));
      double[][] expected = resample(rows(hidden, N_IN), tile.gridX());
      assertThat(actual).hasSize(N_QUERIES * N_EMBD);
      for (int i = 0; i < actual.length; i++) {
        assertThat((double) actual[i])
            .isCloseTo(expected[i / N_EMBD][i % N_EMBD], Offset.offset(2e-5));
      }
    }
  }

  private void add(GgufWriter writer, String name, int... shape) {
    float[] values = new float[Arrays.stream(shape).reduce(1, (a, b) -> a * b)];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian() / (float) Math.sqrt(shape[0]);
    }
    weights.put(name, values);
    writer.tensor("resampler." + name, values, Arrays.stream(shape).mapToLong(i -> i).toArray());
  }

  private float[] weight(String name) {
    return Objects.requireNonNull(weights.get(name));
  }

  private double[][] resample(double[][] x, int gridX) {
    double[][] rows = norm(linear(x, "kv", N_EMBD), "ln_kv");
    double[][] queries = linear(norm(rows(weight("query"), N_EMBD), "ln_q"), "attn.q", N_EMBD);
    double[][] placed = new double[rows.length][N_EMBD];
    for (int i = 0; i < rows.length; i++) {
      for (int c = 0; c < N_EMBD; c++) {
        int axis = c < N_EMBD / 2 ? i % gridX : i / gridX;
        int f = c % (N_EMBD / 4);
        double angle = axis * Math.pow(10000, -f / (N_EMBD / 4.0));
        boolean sine = c % (N_EMBD / 2) < N_EMBD / 4;
        placed[i][c] = rows[i][c] + (sine ? Math.sin(angle) : Math.cos(angle));
      }
    }
    double[][] keys = linear(placed, "attn.k", N_EMBD);
    double[][] values = linear(rows, "attn.v", N_EMBD);
    double[][] mixed = new double[N_QUERIES][N_EMBD];
    for (int q = 0; q < N_QUERIES; q++) {
      for (int from = 0; from < N_EMBD; from += 128) {
        double[] scores = new double[keys.length];
        for (int i = 0; i < keys.length; i++) {
          for (int c = from; c < from + 128; c++) {
            scores[i] += queries[q][c] * keys[i][c] / Math.sqrt(128);
          }
          scores[i] = Math.exp(scores[i]);
        }
        double sum = Arrays.stream(scores).sum();
        for (int i = 0; i < keys.length; i++) {
          for (int c = from; c < from + 128; c++) {
            mixed[q][c] += scores[i] / sum * values[i][c];
          }
        }
      }
    }
    return norm(linear(mixed, "attn.out", N_EMBD), "ln_post");
  }

  private static double[][] rows(float[] values, int width) {
    double[][] rows = new double[values.length / width][width];
    for (int i = 0; i < values.length; i++) {
      rows[i / width][i % width] = values[i];
    }
    return rows;
  }

  private double[][] linear(double[][] x, String name, int nOut) {
    float[] matrix = weight(name + ".weight");
    float[] bias = weights.getOrDefault(name + ".bias", new float[nOut]);
    int nIn = matrix.length / nOut;
    double[][] y = new double[x.length][nOut];
    for (int i = 0; i < x.length; i++) {
      for (int o = 0; o < nOut; o++) {
        y[i][o] = bias[o];
        for (int c = 0; c < nIn; c++) {
          y[i][o] += matrix[o * nIn + c] * x[i][c];
        }
      }
    }
    return y;
  }

  private double[][] norm(double[][] x, String name) {
    double[][] y = new double[x.length][];
    for (int i = 0; i < x.length; i++) {
      double mean = Arrays.stream(x[i]).average().orElseThrow();
      double variance =
          Arrays.stream(x[i]).map(v -> (v - mean) * (v - mean)).average().orElseThrow();
      y[i] = new double[x[i].length];
      for (int c = 0; c < x[i].length; c++) {
        y[i][c] =
            (x[i][c] - mean) / Math.sqrt(variance + 1e-6) * weight(name + ".weight")[c]
                + weight(name + ".bias")[c];
      }
    }
    return y;
  }
}
